import { get } from "../api.js";
import { day, t, word } from "../i18n.js";
import { useNews } from "../live.js";
import { Bits } from "../parts/bits.js";
import { Icon } from "../parts/icon.js";
import { Nothing, Problem, Waiting } from "../parts/notices.js";
import { Severity } from "../parts/severity.js";
import { openSheet } from "../parts/sheet.js";
import { useResource } from "../resource.js";
import { me } from "../session.js";
import { html } from "../ui.js";
import { Contraindications } from "./contraindications.js";
import { RecordSheet as DiagnosisSheet } from "./diagnosing.js";
import { BrokenGlass } from "./glass.js";
import { ageOf } from "./person.js";
import { RecordSheet } from "./record.js";

/** One patient: who it is, what must not be given, and the diagnoses. */
export function PatientScreen({ id }) {
  const { data, failure, again } = useResource(() => askForPatient(id));
  useNews(data?.diagnoses.filter(({ status }) => status === "active") ?? [], again);
  return html`
    <div class="screen patient">
      <header class="title-bar">
        <a class="plain round back" href="#/" aria-label=${t("patient.back")}><${Icon} name="back" /></a>
        <h1>${data ? html`<bdi>${data.patient.full_name}</bdi>` : t(failure ? "patient.title" : "app.loading")}</h1>
      </header>
      ${failure && html`<${Problem} failure=${failure} retry=${again} />`}
      ${!data && !failure && html`<${Waiting} cards=${3} />`}
      ${data && html`<${Record} patient=${data.patient} onChanged=${again} />`}
      ${data && html`<${Diagnoses} patient=${data.patient} diagnoses=${data.diagnoses} />`}
      ${data && html`<${Contraindications} patient=${data.patient} all=${data.contraindications} onChanged=${again} />`}
      ${data && html`<${BrokenGlass} all=${data.opened} />`}
    </div>
  `;
}

async function askForPatient(id) {
  const [patient, diagnoses, contraindications, opened] = await Promise.all([
    get(`/api/patients/${id}/`),
    get(`/api/diagnoses/?patient=${id}&page_size=100`),
    get(`/api/patients/${id}/contraindications/?page_size=100`),
    get(`/api/patients/${id}/broken-glass`),
  ]);
  return { patient, diagnoses: diagnoses.results, contraindications: contraindications.results, opened: opened.results };
}

const mayWrite = () => me.value.role === "practitioner";

function Record({ patient, onChanged }) {
  const { birth_date, sex, mizaj_type, medical_history, current_medications } = patient;
  const edit = () => openSheet(() => html`<${RecordSheet} patient=${patient} onDone=${onChanged} />`);
  const born = birth_date && day(new Date(`${birth_date}T12:00`));
  const told = (title, text) => text && html`<div><dt class="soft small">${title}</dt><dd dir="auto">${text}</dd></div>`;
  return html`
    <section class="card record" aria-label=${t("patient.record")}>
      <p class="chips"><span class="chip counts">${mizaj_type ? t("profile.mizaj", { value: word("mizaj", mizaj_type) }) : t("profile.mizaj_unknown")}</span></p>
      <p class="soft small"><${Bits} of=${[ageOf(birth_date), sex && t(`sex.${sex}`), born && t("patient.born", { date: born })]} /></p>
      ${(medical_history || current_medications) && html`<dl>${told(t("patient.history"), medical_history)}${told(t("patient.medications"), current_medications)}</dl>`}
      ${mayWrite() && html`<button class="plain to-history" type="button" id="change-record" onClick=${edit}><${Icon} name="note" />${t("record.change_title")}</button>`}
    </section>
  `;
}

function Diagnoses({ patient, diagnoses }) {
  const record = () => openSheet(() => html`<${DiagnosisSheet} patient=${patient} />`);
  return html`
    <section class="part" aria-labelledby="diagnoses-title">
      <h2 id="diagnoses-title">${t("patient.diagnoses")}</h2>
      ${!diagnoses.length && html`<${Nothing} title=${t("diagnoses.none")} hint=${t("patient.diagnoses_hint")} />`}
      <ul class="cards plain-list">${diagnoses.map((diagnosis) => html`<li key=${diagnosis.id}><${Card} diagnosis=${diagnosis} /></li>`)}</ul>
      ${mayWrite() && html`<button class="quiet wide" type="button" id="record-diagnosis" onClick=${record}>${t("diagnosing.record_title")}</button>`}
    </section>
  `;
}

function Card({ diagnosis: { id, condition_name, imbalance, created_at, severity, status } }) {
  return html`
    <a class="card link" href=${`#/diagnoses/${id}`}>
      <div class="grow">
        <h3><bdi>${condition_name}</bdi></h3>
        <p class="facts"><${Severity} value=${severity} />${imbalance && html`<span>${word("mizaj", imbalance)}</span>`}</p>
        <p class="soft small"><${Bits} of=${[day(new Date(created_at)), status !== "active" && t(`diagnosis.${status}`)]} /></p>
      </div>
      <${Icon} name="forward" />
    </a>
  `;
}
