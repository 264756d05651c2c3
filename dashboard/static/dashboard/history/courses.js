import { number, percent, shortDay, t, word } from "../i18n.js";
import { Nothing } from "../parts/notices.js";
import { html, useSignal } from "../ui.js";
import { Chart } from "./chart.js";

const RATINGS = [1, 5];
const WORDED = [1, 3, 5];
const SHARES = [0, 1];

/** For each recommendation how it was rated and how effective it was held, over the same time. */
export function Courses({ courses, days, until }) {
  const told = courses.filter(({ reports, points }) => reports.length || points.length);
  if (!told.length) return html`<${Nothing} icon="gauge" title=${t("history.none")} hint=${t("history.none_hint")} />`;
  return html`<div class="cards">${told.map((course) => html`<${Course} key=${course.recommendation} course=${course} days=${days} until=${until} />`)}</div>`;
}

function Course({ course, days, until }) {
  const { remedy_name: name, status, reports, points } = course;
  return html`
    <article class="card course">
      <header class="card-head">
        <h3 class="grow"><bdi>${name}</bdi></h3>
        ${status !== "active" && html`<span class="chip">${t(`history.${status}`)}</span>`}
      </header>
      <h4>${t("history.ratings")}</h4>
      ${reports.length > 0 ? html`<${Ratings} ...${{ name, reports, days, until }} />` : html`<p class="soft small">${t("history.no_reports")}</p>`}
      ${points.length > 0 && html`<h4>${t("history.effectiveness")}</h4><${Effectiveness} ...${{ name, points, days, until }} />`}
      <${InFigures} reports=${reports} points=${points} name=${name} />
    </article>
  `;
}

const rated = (value) => t(`feedback.rating_${value}`);

function Ratings({ name, reports, days, until }) {
  const points = reports.map(({ created_at, rating }) => {
    const at = new Date(created_at);
    return { at: at.getTime(), value: rating, text: t("history.rated", { date: shortDay(at), meaning: rated(rating), value: rating }) };
  });
  const rows = WORDED.map((value) => ({ value, text: rated(value) }));
  const label = t("history.ratings_said", { remedy: name, count: reports.length, last: points.at(-1).text });
  return html`<${Chart} points=${points} rows=${rows} range=${RATINGS} days=${days} until=${until} label=${label} />`;
}

function Effectiveness({ name, points: told, days, until }) {
  const points = told.map(({ day: date, effectiveness_score: value, interval: [low, high] }) => {
    const at = noon(date);
    const values = { date: shortDay(at), score: percent(value), low: percent(low), high: percent(high) };
    return { at: Math.min(at.getTime(), until), value, low, high, text: t("history.estimated", values) };
  });
  const rows = [0, 0.5, 1].map((value) => ({ value, text: percent(value) }));
  const label = t("history.effectiveness_said", { remedy: name, first: points[0].text, last: points.at(-1).text });
  return html`<${Chart} points=${points} rows=${rows} range=${SHARES} days=${days} until=${until} label=${label} />`;
}

/** The same in words, for those who cannot or would not read a picture; drawn when it is opened. */
function InFigures({ reports, points, name }) {
  const isOpen = useSignal(false);
  const row = (cells) => html`<tr><th scope="row">${cells[0]}</th>${cells.slice(1).map((cell) => html`<td>${cell}</td>`)}</tr>`;
  return html`
    <details class="figures" onToggle=${({ target }) => (isOpen.value = target.open)}>
      <summary>${t("history.table")}</summary>
      ${isOpen.value &&
      html`
        <${Table} caption=${t("history.table_ratings", { remedy: name })} heads=${["date", "rating"]}>
          ${reports.map(({ created_at, rating }) => row([shortDay(new Date(created_at)), t("feedback.option", { value: rating, meaning: rated(rating) })]))}
        <//>
        <${Table} caption=${t("history.table_effectiveness", { remedy: name })} heads=${["date", "estimate", "between", "reports"]}>
          ${changes(points).map((point) => row([shortDay(noon(point.day)), percent(point.effectiveness_score), point.interval.map(percent).join(" – "), number(point.sample_size)]))}
        <//>
      `}
    </details>
  `;
}

function Table({ caption, heads, children }) {
  return html`
    <table>
      <caption>${caption}</caption>
      <thead><tr>${heads.map((head) => html`<th scope="col">${word("column", head)}</th>`)}</tr></thead>
      <tbody>${children}</tbody>
    </table>
  `;
}

/** The days on which the estimate reads otherwise than the day before. */
const changes = (points) => points.filter(({ effectiveness_score, interval }, index) => {
  const before = points[index - 1];
  const said = (score, range) => [score, ...range].map(percent).join();
  return !before || said(effectiveness_score, interval) !== said(before.effectiveness_score, before.interval);
});

/** A day of the server's as a moment of the same day here. */
function noon(date) {
  const [year, month, dayOfMonth] = date.split("-").map(Number);
  return new Date(year, month - 1, dayOfMonth, 12);
}
