import { directionOf, t } from "../i18n.js";
import { html, useSignal } from "../ui.js";
import { Icon } from "./icon.js";

/** A labelled line to type into; other attributes go to the input. `hint` and `error` are read with it. */
export function Field({ name, label, hint, error, type = "text", dir, ...attributes }) {
  const isShown = useSignal(false);
  const about = [hint && `${name}-hint`, error && `${name}-error`].filter(Boolean).join(" ") || null;
  const isSecret = type === "password";
  const shownType = isSecret && isShown.value ? "text" : type;
  const show = () => (isShown.value = !isShown.value);
  return html`
    <div class="field">
      <label for=${name}>${label}</label>
      <div class="control">
        <input id=${name} name=${name} type=${shownType} dir=${dir === "auto" ? directionOf(attributes.value) : dir} aria-describedby=${about} aria-invalid=${error ? "true" : null} ...${attributes} />
        ${isSecret &&
        html`<button class="plain round" type="button" aria-pressed=${String(isShown.value)} aria-label=${t("signin.show_password")} onClick=${show}>
          <${Icon} name="eye" />
        </button>`}
      </div>
      ${hint && html`<p class="soft small" id=${`${name}-hint`}>${hint}</p>`}
      ${error && html`<p class="error" id=${`${name}-error`}>${error}</p>`}
    </div>
  `;
}
