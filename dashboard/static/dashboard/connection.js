import { el, icon, replace } from "./dom.js";
import { sentence } from "./events.js";
import { clock, t } from "./i18n.js";

/** How the page is connected, honestly, with the newest event beside it. */
export function connectionLine({ watch, onLatest }) {
  const state = el("p", { class: "state", role: "status" });
  const time = el("p", { class: "soft small" });
  const latest = el("div");
  const head = el("div", { class: "connection-head" }, state, time);
  const element = el("section", { class: "card connection", "aria-label": t("connection.title") }, head, latest);
  let marked = watch.events[0]?.seq ?? 0;
  draw();
  return { element, draw };

  function draw() {
    const connection = watch.connection;
    element.dataset.state = connection.state;
    say(words(connection));
    const [event] = watch.events;
    time.textContent = event ? `${t("connection.latest")} · ${clock(event.at)}` : "";
    const isNews = event?.isFresh && event.seq > marked;
    if (latest.dataset.shown === shownAs(event, connection)) return;
    latest.dataset.shown = shownAs(event, connection);
    marked = event?.seq ?? 0;
    replace(latest, event && button(event, isNews), isBehind(connection) && el("p", { class: "soft small" }, t("connection.stale")));
  }

  /** Only when it differs: a screen reader reads each change. */
  function say(text) {
    if (state.dataset.text === text) return;
    state.dataset.text = text;
    replace(state, el("i", { class: "lamp", "aria-hidden": "true" }), text);
  }

  function button(event, isNews) {
    return el(
      "button",
      { class: isNews ? "newest fresh" : "newest", type: "button", onclick: onLatest },
      el("span", { class: "line" }, sentence(event, watch.recommendations)),
      icon("forward"),
    );
  }
}

/** Drawing the same again would cut a highlight short. */
const shownAs = (event, connection) => `${event?.seq} ${isBehind(connection)}`;
const isBehind = ({ state }) => state === "offline" || state === "ended";

function words({ state, since, retryAt, reason }) {
  if (state === "ended") return t(reason === "stopped" ? "connection.connecting" : `connection.${reason}`);
  if (state !== "offline") return t(`connection.${state}`);
  const offline = t("connection.offline", { time: clock(since) });
  return retryAt ? offline : `${offline} · ${t("connection.retrying")}`;
}
