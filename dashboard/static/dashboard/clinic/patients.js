import { get } from "../api.js";
import { nameOf } from "../catalogue.js";
import { directionOf, number, t, word } from "../i18n.js";
import { Bits } from "../parts/bits.js";
import { Choose } from "../parts/choose.js";
import { Icon } from "../parts/icon.js";
import { Nothing, Problem, Waiting } from "../parts/notices.js";
import { Pager } from "../parts/pager.js";
import { openSheet } from "../parts/sheet.js";
import { useResource } from "../resource.js";
import { me } from "../session.js";
import { html, useSignal } from "../ui.js";
import { GlassSheet } from "./glass.js";
import { ageOf, MIZAJES } from "./person.js";
import { NewPatientSheet } from "./record.js";

const SIZE = 100;

/** The patients in a practitioner's care: filtered by the server, searched by name on the device, names being sealed there. */
export function PatientsScreen() {
  const wanted = useSignal({ page: 1, mizaj_type: "", condition: "" });
  const name = useSignal("");
  const { data, failure, again } = useResource(() => askForPatients(wanted.peek()));
  const want = (part) => {
    wanted.value = { ...wanted.value, page: 1, ...part };
    again();
  };
  const shown = data?.results.filter(({ full_name }) => isLike(full_name, name.value)) ?? [];
  return html`
    <div class="screen patients">
      <header class="title-row">
        <h1>${t("tab.patients")} ${data?.count > 0 && html`<span class="count">${number(data.count)}</span>`}</h1>
        <button class="tonal" type="button" id="new-patient" onClick=${() => openSheet(() => html`<${NewPatientSheet} />`)}>${t("record.new")}</button>
      </header>
      <${Search} name=${name} data=${data} />
      <${Filters} wanted=${wanted.value} onWant=${want} />
      ${failure && html`<${Problem} failure=${failure} retry=${again} />`}
      ${!data && !failure && html`<${Waiting} cards=${4} />`}
      ${data && !shown.length && html`<${Nothing} icon="people" title=${t("patients.none")} hint=${t("patients.none_hint")} />`}
      <ul class="cards plain-list">${shown.map((patient) => html`<li key=${patient.id}><${Card} patient=${patient} /></li>`)}</ul>
      ${data && html`<${Pager} page=${wanted.value.page} size=${SIZE} count=${data.count} onTurn=${(page) => want({ page })} />`}
      ${me.value.role === "practitioner" && html`<button class="quiet wide" type="button" id="break-glass" onClick=${() => openSheet(() => html`<${GlassSheet} />`)}>${t("glass.title")}</button>`}
    </div>
  `;
}

function askForPatients({ page, mizaj_type, condition }) {
  const asked = new URLSearchParams({ page, page_size: SIZE, ...(mizaj_type && { mizaj_type }), ...(condition && { condition }) });
  return get(`/api/patients/?${asked}`);
}

/** Whatever the case, and whichever of the two letters for ye and kaf a keyboard writes. */
const plain = (text) => text.toLocaleLowerCase().replaceAll("\u064a", "\u06cc").replaceAll("\u0643", "\u06a9").trim();
const isLike = (name, typed) => plain(name).includes(plain(typed));

function Search({ name, data }) {
  const isPart = data && data.count > data.results.length;
  return html`
    <div class="field">
      <label for="patient-name">${t("patients.search")}</label>
      <input id="patient-name" type="search" dir=${directionOf(name.value)} autocomplete="off" value=${name.value} onInput=${({ target }) => (name.value = target.value)} aria-describedby=${isPart ? "patient-name-hint" : null} />
      ${isPart && html`<p class="soft small" id="patient-name-hint">${t("patients.search_page", { count: data.results.length })}</p>`}
    </div>
  `;
}

function Filters({ wanted, onWant }) {
  const { data: conditions } = useResource(async () => (await get("/api/conditions/?is_active=true&page_size=100")).results);
  const all = { value: "", label: t("patients.all") };
  const mizajes = MIZAJES.map((value) => ({ value, label: word("mizaj", value) }));
  const treated = (conditions ?? []).map((condition) => ({ value: condition.slug, label: nameOf(condition) }));
  treated.sort((a, b) => a.label.localeCompare(b.label));
  return html`
    <div class="filters">
      <${Choose} name="by-mizaj" label=${t("patients.mizaj")} options=${[all, ...mizajes]} value=${wanted.mizaj_type} onChoose=${(mizaj_type) => onWant({ mizaj_type })} />
      <${Choose} name="by-condition" label=${t("patients.condition")} options=${[all, ...treated]} value=${wanted.condition} onChoose=${(condition) => onWant({ condition })} />
    </div>
  `;
}

function Card({ patient: { id, full_name, birth_date, sex, mizaj_type, active_diagnoses } }) {
  return html`
    <a class="card link" href=${`#/patients/${id}`}>
      <span class="avatar small-avatar" aria-hidden="true">${[...full_name][0]}</span>
      <div class="grow">
        <h2><bdi>${full_name}</bdi></h2>
        <p class="soft small"><${Bits} of=${[ageOf(birth_date), sex && t(`sex.${sex}`), mizaj_type && word("mizaj", mizaj_type)]} /></p>
        ${active_diagnoses.length > 0
          ? html`<p class="chips">${active_diagnoses.map((diagnosis) => html`<span class="chip" key=${diagnosis.id}>${diagnosis.condition_name}</span>`)}</p>`
          : html`<p class="soft small">${t("diagnoses.none")}</p>`}
      </div>
      <${Icon} name="forward" />
    </a>
  `;
}
