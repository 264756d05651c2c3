import { moment, t } from "../i18n.js";
import { html } from "../ui.js";

/** From when it is what is shown, where the server has not answered yet. It comes a little later: mostly it answers at once. */
export const AsOf = ({ at }) => at && html`<span class="as-of"> · ${t("app.as_of", { time: moment(at) })}</span>`;
