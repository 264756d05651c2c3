import { t } from "../i18n.js";
import { html } from "../ui.js";
import { Icon } from "./icon.js";

/** Where the success rate is going: an arrow and a word. */
export function Trend({ trend }) {
  return html`<span class="chip" data-trend=${trend}><${Icon} name=${trend} />${t(`trend.${trend}`)}</span>`;
}
