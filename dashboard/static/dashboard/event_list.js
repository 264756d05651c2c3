import { el, icon, replace } from "./dom.js";
import { iconOf, sentence } from "./events.js";
import { moment, t } from "./i18n.js";

const FRESH_MS = 8_000;

/** The last events as sentences, newest first; what just arrived is marked for a moment. */
export function eventList({ watch }) {
  const list = el("ol", { class: "events plain-list" });
  const none = el("p", { class: "soft empty" }, t("events.none"));
  const element = el(
    "section",
    { class: "events-part", "aria-labelledby": "events-title", id: "events" },
    el("h2", { id: "events-title" }, t("events.title")),
    el("p", { class: "soft small lead" }, t("events.hint")),
    el("div", { class: "card" }, list, none),
  );
  draw();
  return { element, add };

  function draw() {
    replace(list, watch.events.map((event) => item(event, false)));
    none.hidden = watch.events.length > 0;
  }

  function add(event) {
    if (event.type === "reset") draw();
    else list.prepend(item(event, event.isFresh));
    while (list.children.length > watch.events.length) list.lastElementChild.remove();
    none.hidden = true;
  }

  function item(event, isNew) {
    const pill = isNew && el("span", { class: "pill" }, t("events.new"));
    const time = el("time", { class: "soft small", datetime: event.at.toISOString() }, moment(event.at));
    const node = el(
      "li",
      { class: isNew ? "event fresh" : "event", "data-type": event.type, "data-seq": event.seq },
      icon(iconOf(event)),
      el("div", { class: "grow" }, el("p", {}, sentence(event, watch.recommendations)), el("p", { class: "when" }, time, pill)),
    );
    if (isNew) setTimeout(() => (node.classList.remove("fresh"), pill.remove()), FRESH_MS);
    return node;
  }
}
