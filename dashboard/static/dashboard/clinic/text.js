import { t } from "../i18n.js";
import { html } from "../ui.js";

/** Several lines to type into, not required. */
export function Text({ name, label, value, error, rows = 3, onInput }) {
  return html`
    <div class="field">
      <label for=${name}>${label} <span class="soft small">(${t("feedback.optional")})</span></label>
      <textarea id=${name} rows=${rows} dir="auto" value=${value} aria-invalid=${error ? "true" : null} aria-describedby=${error ? `${name}-error` : null} onInput=${({ target }) => onInput(target.value)} />
      ${error && html`<p class="error" id=${`${name}-error`}>${error}</p>`}
    </div>
  `;
}
