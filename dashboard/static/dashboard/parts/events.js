import { iconOf, sentence } from "../events.js";
import { clock, moment, number, t } from "../i18n.js";
import { html, useEffect, useState } from "../ui.js";
import { Icon } from "./icon.js";

const FRESH_MS = 8_000;

/** The last events as sentences, newest first, and how many came while one watched. */
export function Events({ watch }) {
  const events = watch.events.value;
  const about = watch.recommendations.value;
  return html`
    <section class="part" id="events" aria-labelledby="events-title">
      <h2 id="events-title">${t("events.title")}</h2>
      <${Tally} watch=${watch} />
      <div class="card flush">
        <ol class="events plain-list">
          ${events.map((event) => html`<${Event} key=${event.seq} event=${event} about=${about} />`)}
        </ol>
        ${!events.length && html`<p class="soft empty">${t("events.none")}</p>`}
      </div>
    </section>
  `;
}

function Tally({ watch }) {
  const { since, updates, reports, scores } = watch.tally.value;
  const count = (value, key) => html`<div><dt>${t(`events.${key}`, { count: value })}</dt><dd>${number(value)}</dd></div>`;
  return html`
    <p class="soft small lead">${t("events.since", { time: clock(since) })}</p>
    <dl class="tally">${count(updates, "updates")}${count(reports, "reports")}${count(scores, "scores")}</dl>
  `;
}

/** What just arrived is marked for a moment. */
function Event({ event, about }) {
  const [isNew, setNew] = useState(event.isFresh);
  useEffect(() => {
    const timer = setTimeout(() => setNew(false), FRESH_MS);
    return () => clearTimeout(timer);
  }, []);
  return html`
    <li class=${isNew ? "event fresh" : "event"} data-type=${event.type} data-seq=${event.seq}>
      <span class="medallion"><${Icon} name=${iconOf(event)} /></span>
      <div class="grow">
        <p>${sentence(event, about)}</p>
        <p class="when">
          <time class="soft" datetime=${event.at.toISOString()}>${moment(event.at)}</time>
          ${isNew && html`<span class="pill">${t("events.new")}</span>`}
        </p>
      </div>
    </li>
  `;
}
