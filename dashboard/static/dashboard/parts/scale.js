import { number, t } from "../i18n.js";
import { html } from "../ui.js";
import { Face } from "./face.js";

const VALUES = [1, 2, 3, 4, 5];

/**
 * One to five with a word for each (`words` is the beginning of their keys); what is chosen is said below.
 * `onClear` makes it optional; `error` is shown under it.
 */
export function Scale({ name, label, words, value, error, onChange, onClear, faces = false }) {
  const errorId = `${name}-error`;
  const meaning = (choice) => t(`${words}_${choice}`);
  const option = (choice) => {
    const id = `${name}-${choice}`;
    const spoken = t("feedback.option", { value: choice, meaning: meaning(choice) });
    const choose = () => onChange(choice);
    return html`
      <input type="radio" id=${id} name=${name} value=${choice} checked=${choice === value} aria-label=${spoken} onChange=${choose} />
      <label for=${id}>${faces ? html`<${Face} value=${choice} />` : number(choice)}</label>
    `;
  };
  return html`
    <fieldset class=${faces ? "scale faces" : "scale"} aria-describedby=${error ? errorId : null} aria-invalid=${error ? "true" : null}>
      <legend>${label} ${onClear && html`<span class="soft small">(${t("feedback.optional")})</span>`}</legend>
      <div class="segments five">${VALUES.map(option)}</div>
      <div class=${onClear ? "below optional" : "below"}>
        <div class="said small" aria-hidden="true">
          ${value
            ? html`<strong>${meaning(value)}</strong>`
            : html`<span class="soft">${meaning(1)}</span><span class="soft">${meaning(5)}</span>`}
        </div>
        ${value && onClear && html`<button class="plain clear" type="button" onClick=${onClear}>${t("feedback.clear")}</button>`}
      </div>
      ${error && html`<p class="error" id=${errorId}>${error}</p>`}
    </fieldset>
  `;
}
