import { get, request } from "../api.js";
import { day, number, t } from "../i18n.js";
import { announce } from "../parts/announcer.js";
import { Bits } from "../parts/bits.js";
import { Choose } from "../parts/choose.js";
import { Face } from "../parts/face.js";
import { Nothing, Problem, Waiting } from "../parts/notices.js";
import { Pager } from "../parts/pager.js";
import { Send, useSending } from "../parts/sending.js";
import { closeSheet, openSheet, SheetHeader } from "../parts/sheet.js";
import { useResource } from "../resource.js";
import { me } from "../session.js";
import { html, useSignal } from "../ui.js";
import { openChange } from "./change.js";
import { DAY_MS } from "./time_axis.js";

const SIZE = 10;
const CHANGE_DAYS = 30; // as the server has it
const MARKS = { helped: "rating_min=3", not: "rating_max=2" };

/** The reports on a diagnosis, newest first. Patients change and withdraw theirs. `asked` gets the way to ask again. */
export function ReportList({ diagnosis, courses, asked, onChanged }) {
  const wanted = useSignal({ page: 1, recommendation: "", mark: "", withdrawn: false });
  const { data, failure, again } = useResource(() => askForReports(diagnosis.id, wanted.peek()));
  asked.current = again;
  const want = (part) => {
    wanted.value = { ...wanted.value, page: 1, ...part };
    again();
  };
  return html`
    <section class="part" aria-labelledby="reports-title">
      <h2 id="reports-title">${t("reports.title")} ${data?.count > 0 && html`<span class="count">${number(data.count)}</span>`}</h2>
      <${Filters} wanted=${wanted.value} courses=${courses} onWant=${want} />
      ${failure && html`<${Problem} failure=${failure} retry=${again} />`}
      ${!data && !failure && html`<${Waiting} />`}
      ${data?.count === 0 && html`<${Nothing} icon="talk" title=${t("reports.none")} hint=${t("reports.none_hint")} />`}
      <ul class="cards plain-list">${data?.results.map((report) => html`<${Report} key=${report.id} report=${report} onChanged=${onChanged} />`)}</ul>
      ${data && html`<${Pager} page=${wanted.value.page} size=${SIZE} count=${data.count} onTurn=${(page) => want({ page })} />`}
    </section>
  `;
}

function askForReports(diagnosis, { page, recommendation, mark, withdrawn }) {
  const asked = [`diagnosis=${diagnosis}`, `page_size=${SIZE}`, `page=${page}`, `withdrawn=${withdrawn}`, recommendation && `recommendation=${recommendation}`, MARKS[mark]];
  return get(`/api/feedback/?${asked.filter(Boolean).join("&")}`);
}

function Filters({ wanted, courses, onWant }) {
  const remedies = [{ value: "", label: t("reports.all_remedies") }, ...courses.map((course) => ({ value: course.recommendation, label: course.remedy_name }))];
  const marks = ["", ...Object.keys(MARKS)].map((value) => ({ value, label: t(`reports.mark_${value || "all"}`) }));
  return html`
    <div class="filters">
      <${Choose} name="of-remedy" label=${t("reports.remedy")} options=${remedies} value=${wanted.recommendation} onChoose=${(recommendation) => onWant({ recommendation })} />
      <${Choose} name="of-mark" label=${t("reports.mark")} options=${marks} value=${wanted.mark} onChoose=${(mark) => onWant({ mark })} />
    </div>
    <label class="switch">
      <span>${t("reports.also_withdrawn")}</span>
      <input type="checkbox" role="switch" id="also-withdrawn" checked=${wanted.withdrawn} onChange=${({ target }) => onWant({ withdrawn: target.checked })} />
      <i aria-hidden="true" />
    </label>
  `;
}

function Report({ report, onChanged }) {
  const { rating, symptom_improvement: improvement, compliance, comment, side_effects: effects, withdrawn_at: withdrawn } = report;
  const said = [
    t("reports.improvement", { value: t(`feedback.improvement_${improvement}`) }),
    compliance && t("reports.compliance", { value: t(`feedback.compliance_${compliance}`) }),
  ];
  return html`
    <li class=${withdrawn ? "card report-card withdrawn" : "card report-card"} data-id=${report.id}>
      <div class="report-head">
        <${Face} value=${rating} />
        <div class="grow">
          <h3><bdi>${report.remedy_name}</bdi></h3>
          <p class="small"><span class="strong">${t(`feedback.rating_${rating}`)}</span> <span class="soft">· ${day(new Date(report.created_at))}</span></p>
        </div>
        ${withdrawn && html`<span class="chip">${t("reports.withdrawn")}</span>`}
      </div>
      <p class="soft small"><${Bits} of=${said} /></p>
      ${effects.length > 0 && html`<p class="chips">${effects.map(({ effect, name, severity }) => html`<span class="chip" key=${effect}>${name} · ${t(`feedback.severity_${severity}`)}</span>`)}</p>`}
      ${comment && html`<blockquote dir="auto">${comment}</blockquote>`}
      ${me.value.role === "patient" && !withdrawn && html`<${Own} report=${report} onChanged=${onChanged} />`}
    </li>
  `;
}

/** What a patient may still do with a report. */
function Own({ report, onChanged }) {
  const remedy = report.remedy_name;
  const isOld = Date.now() - new Date(report.created_at) > CHANGE_DAYS * DAY_MS;
  const change = () => openChange({ report, onDone: onChanged });
  const withdraw = () => openSheet(() => html`<${Withdraw} report=${report} onDone=${onChanged} />`);
  return html`
    <div class="card-foot">
      ${isOld
        ? html`<p class="soft small">${t("reports.too_old")}</p>`
        : html`<button class="plain" type="button" aria-label=${t("reports.change_of", { remedy })} onClick=${change}>${t("reports.change")}</button>`}
      <button class="plain danger" type="button" aria-label=${t("reports.withdraw_of", { remedy })} onClick=${withdraw}>${t("reports.withdraw")}</button>
    </div>
  `;
}

function Withdraw({ report, onDone }) {
  const sending = useSending(
    () => request("DELETE", `/api/feedback/${report.id}/`),
    () => {
      closeSheet();
      announce(t("reports.withdrawn_done"));
      onDone();
    },
  );
  return html`
    <form class="sheet-page" novalidate onSubmit=${sending.send}>
      <${SheetHeader} title=${t("reports.withdraw_title")} about=${report.remedy_name} />
      <div class="sheet-body"><p>${t("reports.withdraw_text")}</p></div>
      <${Send} id="confirm-withdraw" sending=${sending} label=${t("reports.withdraw")} />
    </form>
  `;
}
