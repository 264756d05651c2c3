import { clock, moment, t } from "../i18n.js";
import { html } from "../ui.js";

/** How the page is connected, honestly: a sign and words. */
export function Connection({ watch }) {
  const connection = watch.connection.value;
  const isBehind = connection.state === "offline" || connection.state === "ended";
  const asOf = watch.asOf.value;
  return html`
    <div class="connection" data-state=${connection.state}>
      <p class="state" role="status"><i class="lamp" aria-hidden="true" />${words(connection)}</p>
      ${asOf ? html`<p class="small as-of">${t("app.as_of", { time: moment(asOf) })}</p>` : isBehind && html`<p class="small">${t("connection.stale")}</p>`}
    </div>
  `;
}

function words({ state, since, retryAt, reason }) {
  if (state === "ended") return t(reason === "stopped" ? "connection.connecting" : `connection.${reason}`);
  if (state !== "offline") return t(`connection.${state}`);
  const offline = t("connection.offline", { time: clock(since) });
  return retryAt ? offline : `${offline} · ${t("connection.retrying")}`;
}
