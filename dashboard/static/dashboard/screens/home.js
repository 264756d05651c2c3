import { get } from "../api.js";
import { directions } from "../events.js";
import { number, percent, t, weekday, word } from "../i18n.js";
import { useAnotherDiagnosis, useNews } from "../live.js";
import { outbox, received } from "../outbox.js";
import { Bits } from "../parts/bits.js";
import { AsOf } from "../parts/as_of.js";
import { openFeedback } from "../parts/feedback.js";
import { Icon } from "../parts/icon.js";
import { Nothing, Problem, Waiting } from "../parts/notices.js";
import { Outbox } from "../parts/outbox.js";
import { Ring } from "../parts/ring.js";
import { Severity } from "../parts/severity.js";
import { useResource } from "../resource.js";
import { me } from "../session.js";
import { html, useEffect, useSignal } from "../ui.js";

const FIRST = 4; // more would push the diagnoses out of sight

/** The patient's day: what is due, and how the active diagnoses do. */
export function HomeScreen() {
  const { data, failure, asOf, again } = useResource(askForToday, "today");
  useNews(data?.diagnoses ?? [], again);
  useAnotherDiagnosis(data?.diagnoses ?? [], again);
  useEffect(() => void (received.value.size && again()), [received.value]);
  return html`
    <div class="screen home">
      <header class="greeting">
        <p class="soft">${weekday(new Date())}<${AsOf} at=${asOf} /></p>
        <h1>${greeting(data?.name)}</h1>
      </header>
      ${failure && html`<${Problem} failure=${failure} retry=${again} />`}
      ${!data && !failure && html`<${Waiting} />`}
      <${Outbox} />
      ${data && html`<${Due} due=${data.due} diagnoses=${data.diagnoses} /><${Diagnoses} ...${data} />`}
    </div>
  `;
}

async function askForToday() {
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  const { name, patient } = me.peek();
  const [record, diagnoses, due, overall] = await Promise.all([
    patient && get(`/api/patients/${patient}/`),
    get("/api/diagnoses/?status=active&page_size=100"),
    get(`/api/feedback/due?since=${encodeURIComponent(midnight.toISOString())}`),
    get("/api/analytics/overall"),
  ]);
  return {
    name: name || record?.full_name || "",
    diagnoses: diagnoses.results,
    due,
    overall: Object.fromEntries(overall.map((row) => [row.diagnosis, row.overall])),
  };
}

function greeting(name) {
  const hour = new Date().getHours();
  const part = hour < 5 ? "night" : hour < 12 ? "morning" : hour < 17 ? "afternoon" : "evening";
  return name ? t(`home.${part}_name`, { name: name.split(" ")[0] }) : t(`home.${part}`);
}

function Due({ due: all, diagnoses }) {
  const isWhole = useSignal(false);
  if (!diagnoses.length) return null;
  const onTheirWay = new Set(outbox.value.map(({ recommendationId }) => recommendationId));
  const due = all.filter(({ id }) => !onTheirWay.has(id));
  const shown = isWhole.value ? due : due.slice(0, FIRST);
  const conditions = new Map(diagnoses.map((diagnosis) => [diagnosis.id, diagnosis.condition_name]));
  return html`
    <section class="part" aria-labelledby="due-title">
      <h2 id="due-title">${t("home.due")} ${due.length > 0 && html`<span class="count">${number(due.length)}</span>`}</h2>
      ${due.length > 0
        ? html`<ul class="card flush due plain-list">${shown.map((row) => html`<${DueRow} key=${row.id} due=${row} condition=${conditions.get(row.diagnosis)} />`)}</ul>`
        : html`<p class="card done"><span class="medallion"><${Icon} name="check" /></span><span>${t("home.all_done")}</span></p>`}
      ${due.length > shown.length && html`<button class="plain all-due" type="button" onClick=${() => (isWhole.value = true)}>${t("home.all_due", { count: due.length })}</button>`}
    </section>
  `;
}

function DueRow({ due, condition }) {
  const report = () => openFeedback({ recommendation: { id: due.id, name: due.remedy_name } });
  return html`
    <li>
      <span class="medallion"><${Icon} name="leaf" /></span>
      <div class="grow">
        <h3><bdi>${due.remedy_name}</bdi></h3>
        <p class="soft small"><${Bits} of=${[condition, ...directions(due).slice(0, 2)]} /></p>
      </div>
      <button class="tonal" type="button" aria-label=${t("home.report_on", { remedy: due.remedy_name })} onClick=${report}>${t("home.report")}</button>
    </li>
  `;
}

function Diagnoses({ diagnoses, overall }) {
  return html`
    <section class="part" aria-labelledby="diagnoses-title">
      <h2 id="diagnoses-title">${t("diagnoses.title")}</h2>
      ${!diagnoses.length && html`<${Nothing} title=${t("diagnoses.none")} hint=${t("diagnoses.none_hint")} />`}
      <ul class="cards plain-list">
        ${diagnoses.map((diagnosis) => html`<li key=${diagnosis.id}><${DiagnosisCard} diagnosis=${diagnosis} overall=${overall[diagnosis.id]} /></li>`)}
      </ul>
    </section>
  `;
}

function DiagnosisCard({ diagnosis, overall }) {
  const { id, condition_name, severity, imbalance } = diagnosis;
  return html`
    <a class="card link" href=${`#/diagnoses/${id}`}>
      ${overall && html`<${Ring} value=${overall.effectiveness_score} interval=${overall.interval} />`}
      <div class="grow">
        <h3><bdi>${condition_name}</bdi></h3>
        <p class="facts"><${Severity} value=${severity} />${imbalance && html`<span>${word("mizaj", imbalance)}</span>`}</p>
        ${overall && html`<p class="soft small">${effect(overall)}</p>`}
      </div>
      <${Icon} name="forward" />
    </a>
  `;
}

function effect({ effectiveness_score: score, sample_size: count }) {
  return count ? t("home.effect", { score: percent(score), count }) : t("home.effect_expected", { score: percent(score) });
}
