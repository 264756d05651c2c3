import { t } from "../i18n.js";
import { html } from "../ui.js";
import { Icon } from "./icon.js";

/** Back and forth between the pages of a list of `count` rows; nothing when all fit on one. */
export function Pager({ page, size, count, onTurn }) {
  const last = Math.ceil(count / size);
  if (last < 2) return null;
  const turn = (by, icon, label) => html`
    <button class="plain round" type="button" aria-label=${label} disabled=${page + by < 1 || page + by > last} onClick=${() => onTurn(page + by)}><${Icon} name=${icon} /></button>
  `;
  return html`
    <nav class="pager" aria-label=${t("pager.title")}>
      ${turn(-1, "back", t("pager.previous"))}
      <span class="small" role="status">${t("pager.page", { page, last })}</span>
      ${turn(1, "forward", t("pager.next"))}
    </nav>
  `;
}
