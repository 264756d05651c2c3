import { sentence } from "../events.js";
import { countFlags } from "../flags.js";
import { clock, day, number, percent, t, word } from "../i18n.js";
import { outbox, received } from "../outbox.js";
import { announce } from "../parts/announcer.js";
import { Bits } from "../parts/bits.js";
import { Connection } from "../parts/connection.js";
import { Events } from "../parts/events.js";
import { openFeedback } from "../parts/feedback.js";
import { useGradually } from "../parts/gradually.js";
import { Icon } from "../parts/icon.js";
import { later } from "../parts/later.js";
import { Problem, Waiting } from "../parts/notices.js";
import { Outbox } from "../parts/outbox.js";
import { Ranking } from "../parts/ranking.js";
import { Ring } from "../parts/ring.js";
import { Severity } from "../parts/severity.js";
import { openSheet } from "../parts/sheet.js";
import { language, prefersStillness } from "../preferences.js";
import { usePull } from "../pull.js";
import { me } from "../session.js";
import { html, useEffect, useMemo, useRef } from "../ui.js";
import { Watch } from "../watch.js";

const AddSheet = later(() => import("../clinic/prescribing.js").then((module) => module.AddSheet));
const FindingSheet = later(() => import("../clinic/diagnosing.js").then((module) => module.ManageSheet));
const ManageSheet = later(() => import("../clinic/prescribing.js").then((module) => module.ManageSheet));

/** One diagnosis in real time: how it does, the ranking, the figures and what happened. Patients report, practitioners prescribe. */
export function DiagnosisScreen({ id }) {
  const watch = useMemo(() => new Watch(id), [id]);
  useWatch(watch);
  const diagnosis = watch.diagnosis.value;
  return html`
    <div class="screen diagnosis">
      <header class="title-bar">
        <${Back} diagnosis=${diagnosis} />
        <h1>${diagnosis ? html`<bdi>${diagnosis.condition_name}</bdi>` : t(watch.failure.value ? "diagnosis.title" : "app.loading")}</h1>
        ${diagnosis && html`<${Connection} watch=${watch} />`}
      </header>
      ${watch.failure.value && html`<${Problem} failure=${watch.failure.value} retry=${() => watch.open()} />`}
      ${!diagnosis && !watch.failure.value && html`<${Waiting} cards=${3} />`}
      ${diagnosis && html`<${Open} watch=${watch} diagnosis=${diagnosis} />`}
    </div>
  `;
}

/** A patient came from all diagnoses, everybody else from the patient's record. */
function Back({ diagnosis }) {
  const isPatient = me.value.role === "patient";
  const toRecord = !isPatient && diagnosis;
  const label = isPatient ? "diagnosis.back" : toRecord ? "diagnosis.back_to_record" : "patient.back";
  return html`<a class="plain round back" href=${toRecord ? `#/patients/${diagnosis.patient}` : "#/"} aria-label=${t(label)}><${Icon} name="back" /></a>`;
}

/** Follows while the screen is there; in another language the server's words are asked for anew. */
function useWatch(watch) {
  usePull(() => watch.askAgain());
  useEffect(() => {
    const nudge = () => document.visibilityState === "visible" && watch.nudge();
    const sources = [[window, "online"], [window, "offline"], [document, "visibilitychange"]];
    for (const [target, type] of sources) target.addEventListener(type, nudge);
    watch.open();
    return () => {
      for (const [target, type] of sources) target.removeEventListener(type, nudge);
      watch.close();
    };
  }, [watch]);
  const drawn = useRef(language.value);
  useEffect(() => {
    if (drawn.current !== language.value) watch.reword();
    drawn.current = language.value;
  }, [language.value]);
}

function Open({ watch, diagnosis }) {
  const parts = useGradually(5);
  const mayReport = me.value.role === "patient" && diagnosis.status !== "entered_in_error";
  const report = mayReport ? (recommendation) => openFeedback({ recommendation }) : null;
  const onTheirWay = new Set(outbox.value.map(({ recommendationId }) => recommendationId));
  const mayPrescribe = me.value.role === "practitioner" && diagnosis.status === "active";
  const manage = mayPrescribe ? (recommendation) => openSheet(() => html`<${ManageSheet} diagnosis=${diagnosis} recommendation=${recommendation} />`) : null;
  const add = mayPrescribe ? () => openSheet(() => html`<${AddSheet} diagnosis=${diagnosis} />`) : null;
  return html`
    <${Overview} watch=${watch} diagnosis=${diagnosis} />
    ${parts > 1 && html`<${Latest} watch=${watch} /><${Outbox} about=${(id) => watch.recommendations.value.has(id)} />`}
    <div class="columns">
      ${parts > 2 && html`<${Ranking} watch=${watch} thanks=${received.value} onTheirWay=${onTheirWay} report=${report} manage=${manage} add=${add} />`}
      ${parts > 3 && html`<div><${Metrics} watch=${watch} />${parts > 4 && html`<${Events} watch=${watch} />`}</div>`}
    </div>
  `;
}

function Overview({ watch, diagnosis }) {
  const overall = watch.figures.value?.overall;
  const { severity, imbalance, practitioner, created_at, status, patient_name } = diagnosis;
  const { role } = me.value;
  const manage = () => openSheet(() => html`<${FindingSheet} diagnosis=${watch.diagnosis.peek()} onDone=${() => watch.reword()} />`);
  return html`
    <section class="card overview" aria-label=${t("overall.title")}>
      ${overall && html`<${Effect} overall=${overall} />`}
      <p class="facts"><${Severity} value=${severity} />${imbalance && html`<span>${t("diagnosis.imbalance", { value: word("mizaj", imbalance) })}</span>`}</p>
      <p class="soft small"><${Bits} of=${[role !== "patient" && patient_name, day(new Date(created_at)), practitioner && t("diagnosis.by", { name: practitioner })]} /></p>
      ${status !== "active" && html`<div class="notice" role="status">${t(`diagnosis.${status}`)}</div>`}
      <${Told} diagnosis=${diagnosis} />
      <p class="overview-foot">
        <a class="plain" href=${`#/history/${diagnosis.id}`}><${Icon} name="history" />${t("diagnosis.history")}</a>
        ${role === "practitioner" && html`<button class="plain" type="button" id="manage-diagnosis" onClick=${manage}><${Icon} name="note" />${t("diagnosing.manage")}</button>`}
      </p>
    </section>
  `;
}

function Told({ diagnosis: { symptoms, notes } }) {
  if (!symptoms.length && !notes) return null;
  return html`
    <details class="figures">
      <summary>${t("diagnosis.told")}</summary>
      ${symptoms.length > 0 && html`<p class="chips">${symptoms.map((symptom) => html`<span class="chip" key=${symptom}><bdi>${symptom}</bdi></span>`)}</p>`}
      ${notes && html`<p class="told" dir="auto">${notes}</p>`}
    </details>
  `;
}

function Effect({ overall }) {
  const { effectiveness_score: score, interval, sample_size: count } = overall;
  const [low, high] = interval.map(percent);
  return html`
    <div class="effect-head">
      <${Ring} value=${score} interval=${interval} />
      <div class="grow">
        <h2>${t("overall.title")}</h2>
        <p class="small">${t("recommendation.range", { low, high })}</p>
        <p class="soft small">${count ? t("recommendation.evidence", { count }) : t(me.value.role === "patient" ? "overall.expected" : "overall.expected_of_patient")}</p>
      </div>
    </div>
  `;
}

/** The newest event, where the eye is; a touch leads to all of them. */
function Latest({ watch }) {
  const [event] = watch.events.value;
  const about = watch.recommendations.value;
  const text = event && sentence(event, about);
  useEffect(() => {
    if (event?.isFresh) announce(text);
    if (event?.isFresh && event.type === "severe_side_effect") countFlags();
  }, [event?.seq]);
  if (!event) return null;
  const show = () => document.getElementById("events").scrollIntoView({ behavior: prefersStillness() ? "instant" : "smooth" });
  return html`
    <button class=${event.isFresh ? "card newest fresh" : "card newest"} key=${event.seq} type="button" onClick=${show}>
      <span class="grow"><span class="soft small">${t("connection.latest")} · ${clock(event.at)}</span><span class="line">${text}</span></span>
      <${Icon} name="down" />
    </button>
  `;
}

function Metrics({ watch }) {
  const total = watch.figures.value?.total;
  if (!total?.reports) return null;
  const worst = total.side_effects.length;
  const tile = (label, value, hint) => html`<div class="card tile"><dt>${label}</dt><dd><strong>${value}</strong>${hint && html`<span class="soft small">${hint}</span>`}</dd></div>`;
  const ofFive = (value) => (value === null ? "–" : number(value));
  return html`
    <section class="part" aria-labelledby="metrics-title">
      <h2 id="metrics-title">${t("metrics.title")}</h2>
      <dl class="tiles">
        ${tile(t("metrics.reports"), number(total.reports))}
        ${tile(t("metrics.rating"), ofFive(total.average_rating), t("metrics.of_five"))}
        ${tile(t("metrics.improvement"), ofFive(total.average_improvement), t("metrics.of_five"))}
        ${tile(t("metrics.compliance"), ofFive(total.average_compliance), total.average_compliance !== null && t("metrics.of_five"))}
      </dl>
      ${worst > 0 && html`<p class="soft small">${t("metrics.effects")} <${Bits} of=${total.side_effects.slice(0, 3).map((row) => `${row.name} × ${number(row.reports)}`)} /></p>`}
    </section>
  `;
}
