import { get } from "../api.js";
import { t } from "../i18n.js";
import { useNews } from "../live.js";
import { Choose } from "../parts/choose.js";
import { Icon } from "../parts/icon.js";
import { Nothing, Problem, Waiting } from "../parts/notices.js";
import { Segments } from "../parts/segments.js";
import { useResource } from "../resource.js";
import { html, useRef, useSignal } from "../ui.js";
import { Courses } from "./courses.js";
import { ReportList } from "./reports.js";

const SPANS = ["30", "90", "365"];

/** How a diagnosis went: ratings, effectiveness and the reports. `id` names the diagnosis; else one chooses. */
export function HistoryScreen({ id }) {
  const { data: diagnoses, failure, again } = useResource(() => askForDiagnoses(id));
  const chosen = useSignal(null);
  const diagnosis = diagnoses?.find((one) => one.id === chosen.value) ?? diagnoses?.[0];
  const options = diagnoses?.map((one) => ({ value: one.id, label: one.condition_name }));
  return html`
    <div class="screen history">
      ${id ? html`<${TitleBar} id=${id} diagnosis=${diagnosis} failure=${failure} />` : html`<h1>${t("tab.history")}</h1>`}
      ${failure && html`<${Problem} failure=${failure} retry=${again} />`}
      ${!diagnoses && !failure && html`<${Waiting} />`}
      ${diagnoses?.length === 0 && html`<${Nothing} icon="history" title=${t("diagnoses.none")} hint=${t("history.none_hint")} />`}
      ${diagnoses?.length > 1 && html`<${Choose} name="diagnosis" label=${t("history.of")} options=${options} value=${diagnosis.id} onChoose=${(value) => (chosen.value = value)} />`}
      ${diagnosis && html`<${OneHistory} key=${diagnosis.id} diagnosis=${diagnosis} />`}
    </div>
  `;
}

async function askForDiagnoses(id) {
  if (id) return [await get(`/api/diagnoses/${id}/`)];
  const { results } = await get("/api/diagnoses/?page_size=100");
  return results.filter(({ status }) => status !== "entered_in_error");
}

function TitleBar({ id, diagnosis, failure }) {
  return html`
    <header class="title-bar">
      <a class="plain round back" href=${`#/diagnoses/${id}`} aria-label=${t("history.back")}><${Icon} name="back" /></a>
      <h1>${diagnosis ? t("history.title", { condition: diagnosis.condition_name }) : t(failure ? "tab.history" : "app.loading")}</h1>
    </header>
  `;
}

function OneHistory({ diagnosis }) {
  const days = useSignal(SPANS[0]);
  const { data, failure, again } = useResource(() => askForCourses(diagnosis.id, Number(days.peek())));
  const askReports = useRef(() => {});
  const anew = () => {
    again();
    askReports.current();
  };
  useNews([diagnosis], anew);
  const choose = (value) => {
    days.value = value;
    again();
  };
  const spans = SPANS.map((value) => ({ value, label: t(`history.days_${value}`) }));
  return html`
    <section class="part" aria-labelledby="courses-title">
      <h2 id="courses-title">${t("history.over_time")}</h2>
      <${Segments} quiet name="span" legend=${t("history.span")} options=${spans} value=${days.value} onChoose=${choose} />
      ${failure && html`<${Problem} failure=${failure} retry=${again} />`}
      ${!data && !failure && html`<${Waiting} />`}
      ${data && html`<${Courses} ...${data} />`}
    </section>
    <${ReportList} diagnosis=${diagnosis} courses=${data?.courses ?? []} asked=${askReports} onChanged=${anew} />
  `;
}

/** What was reported on each recommendation, also on those that ended, with the estimates of those that did not. */
async function askForCourses(id, days) {
  const [reported, estimated] = await Promise.all([
    get(`/api/diagnoses/${id}/feedback-course?days=${days}`),
    get(`/api/predictions/history?diagnosis=${id}&days=${days}`),
  ]);
  const points = new Map(estimated.recommendations.map((row) => [row.recommendation, row.points]));
  const courses = reported.map((course) => ({ ...course, points: points.get(course.recommendation) ?? [] }));
  return { days, until: Date.now(), courses };
}
