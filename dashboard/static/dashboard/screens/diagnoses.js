import { get } from "../api.js";
import { day, t, word } from "../i18n.js";
import { Icon } from "../parts/icon.js";
import { Nothing, Problem, Waiting } from "../parts/notices.js";
import { Severity } from "../parts/severity.js";
import { useResource } from "../resource.js";
import { html, useRef } from "../ui.js";

/** The active diagnoses of the patients in a practitioner's care. */
export function DiagnosesScreen() {
  const pages = useRef(1);
  const { data, failure, again } = useResource(() => askForPages(pages.current));
  const more = () => {
    pages.current += 1;
    again();
  };
  return html`
    <div class="screen">
      <h1>${t("diagnoses.title_clinic")}</h1>
      ${data?.count > 0 && html`<p class="soft lead">${t("diagnoses.count", { count: data.count })}</p>`}
      ${failure && html`<${Problem} failure=${failure} retry=${again} />`}
      ${!data && !failure && html`<${Waiting} cards=${4} />`}
      ${data?.count === 0 && html`<${Nothing} icon="people" title=${t("diagnoses.none")} hint=${t("diagnoses.none_hint_clinic")} />`}
      <ul class="cards plain-list">
        ${data?.results.map((diagnosis) => html`<li key=${diagnosis.id}><${Card} diagnosis=${diagnosis} /></li>`)}
      </ul>
      ${data && data.results.length < data.count && html`<button class="quiet wide" type="button" onClick=${more}>${t("diagnoses.more")}</button>`}
    </div>
  `;
}

async function askForPages(last) {
  const pages = Array.from({ length: last }, (_, index) => get(`/api/diagnoses/?status=active&page=${index + 1}`));
  const answers = await Promise.all(pages);
  return { count: answers[0].count, results: answers.flatMap(({ results }) => results) };
}

function Card({ diagnosis: { id, condition_name, patient_name, imbalance, created_at, severity } }) {
  return html`
    <a class="card link" href=${`#/diagnoses/${id}`}>
      <div class="grow">
        <h2><bdi>${condition_name}</bdi></h2>
        <p class="who"><bdi>${patient_name}</bdi></p>
        <p class="facts"><${Severity} value=${severity} />${imbalance && html`<span>${word("mizaj", imbalance)}</span>`}</p>
        <p class="soft small">${day(new Date(created_at))}</p>
      </div>
      <${Icon} name="forward" />
    </a>
  `;
}
