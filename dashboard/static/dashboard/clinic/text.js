import { directionOf, t } from "../i18n.js";
import { html } from "../ui.js";

/** Several lines to type into; `hint` and `error` are read with it. */
export function Text({ name, label, hint, value, error, rows = 3, required = false, onInput }) {
  const about = [hint && `${name}-hint`, error && `${name}-error`].filter(Boolean).join(" ") || null;
  return html`
    <div class="field">
      <label for=${name}>${label} ${!required && html`<span class="soft small">(${t("feedback.optional")})</span>`}</label>
      <textarea id=${name} rows=${rows} dir=${directionOf(value)} value=${value} aria-invalid=${error ? "true" : null} aria-describedby=${about} onInput=${({ target }) => onInput(target.value)} />
      ${hint && html`<p class="soft small" id=${`${name}-hint`}>${hint}</p>`}
      ${error && html`<p class="error" id=${`${name}-error`}>${error}</p>`}
    </div>
  `;
}
