import { t } from "../i18n.js";
import { html } from "../ui.js";

/** Five dots and the same in words. */
export function Severity({ value }) {
  return html`
    <span class="severity">
      <span class="dots" aria-hidden="true">${[1, 2, 3, 4, 5].map((n) => html`<i class=${n <= value ? "dot on" : "dot"} />`)}</span>
      ${t("diagnosis.severity", { value })}
    </span>
  `;
}
