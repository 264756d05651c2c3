import { html } from "../ui.js";

/** One choice of a few, side by side. `options` are `{value, label, lang?}`; the legend is shown unless `quiet`. */
export function Segments({ name, legend, options, value, onChoose, quiet = false }) {
  const option = ({ value: choice, label, lang }) => {
    const id = `${name}-${choice}`;
    return html`
      <input type="radio" id=${id} name=${name} value=${choice} checked=${choice === value} onChange=${() => onChoose(choice)} />
      <label for=${id} lang=${lang}>${label}</label>
    `;
  };
  return html`
    <fieldset class="choice">
      <legend class=${quiet ? "unseen" : ""}>${legend}</legend>
      <div class="segments">${options.map(option)}</div>
    </fieldset>
  `;
}
