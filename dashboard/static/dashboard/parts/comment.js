import { directionOf, t } from "../i18n.js";
import { html } from "../ui.js";

const LONGEST = 500;

/** As the server counts: characters, not UTF-16 units. */
const leftOf = (text) => LONGEST - [...text].length;

export const isTooLong = (text) => leftOf(text) < 0;

/** What one wants to say in one's own words, with how much room is left. */
export function Comment({ value, error, onChange }) {
  const left = leftOf(value);
  const type = ({ target }) => onChange(target.value);
  return html`
    <div class="field">
      <label for="comment">${t("feedback.comment")} <span class="soft small">(${t("feedback.optional")})</span></label>
      <textarea id="comment" rows="3" dir=${directionOf(value)} value=${value} onInput=${type} aria-describedby="comment-left comment-hint" aria-invalid=${left < 0 ? "true" : null} />
      <div class="ends small">
        <span class="soft" id="comment-hint">${t("feedback.comment_hint")}</span>
        <span class=${left < 0 ? "counter error" : "counter soft"} id="comment-left">${t(left < 0 ? "feedback.over" : "feedback.left", { count: Math.abs(left) })}</span>
      </div>
      ${error && html`<p class="error">${error}</p>`}
    </div>
  `;
}
