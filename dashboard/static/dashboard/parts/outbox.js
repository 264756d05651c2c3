import { explain, fieldMessage } from "../errors.js";
import { moment, t } from "../i18n.js";
import { outbox, received, sending, takeBack, throwAway } from "../outbox.js";
import { html } from "../ui.js";
import { openFeedback } from "./feedback.js";
import { Icon } from "./icon.js";
import { closeSheet, openSheet, SheetHeader } from "./sheet.js";

/** Reports on their way and what became of them; `about(recommendationId)` says which belong here. */
export function Outbox({ about = () => true }) {
  const items = outbox.value.filter(({ recommendationId }) => about(recommendationId));
  const arrivals = [...received.value].filter(([id, { hadToWait }]) => hadToWait && about(id));
  if (!items.length && !arrivals.length) return null;
  return html`
    <section class="part outbox" aria-labelledby="outbox-title">
      <h2 id="outbox-title">${t("outbox.title")}</h2>
      <ul class="card flush plain-list">
        ${items.map((item) => html`<${Item} key=${item.clientId} item=${item} />`)}
        ${arrivals.map(([id, arrival]) => html`<${Arrival} key=${id} arrival=${arrival} />`)}
      </ul>
    </section>
  `;
}

function Item({ item }) {
  const { clientId, remedy, report, at, refusal } = item;
  const state = refusal ? "refused" : sending.value === clientId ? "sending" : "waiting";
  const change = async () => {
    await takeBack(clientId);
    openFeedback({ recommendation: { id: item.recommendationId, name: remedy } });
  };
  const button = (key, act) => html`<button class="plain" type="button" aria-label=${t(`outbox.${key}_of`, { remedy })} onClick=${act}>${t(`outbox.${key}`)}</button>`;
  return html`
    <li data-state=${state}>
      <span class="medallion"><${Icon} name=${refusal ? "alert" : "away"} /></span>
      <div class="grow">
        <h3><bdi>${remedy}</bdi></h3>
        <p class="small strong" role="status">${t(`outbox.${state}`)}</p>
        ${refusal && html`<p class="small"><bdi>${reasonOf(refusal)}</bdi></p>`}
        <p class="soft small">${moment(new Date(at))} · ${t("outbox.said", { rating: report.rating, improvement: report.symptom_improvement })}</p>
        ${report.comment && html`<p class="soft small typed"><bdi>${report.comment}</bdi></p>`}
        ${state !== "sending" && html`<p class="acts">${button("change", change)}${button("throw_away", () => confirmThrowingAway(item))}</p>`}
      </div>
    </li>
  `;
}

function Arrival({ arrival: { remedy, at } }) {
  return html`
    <li data-state="received">
      <span class="medallion"><${Icon} name="check" /></span>
      <div class="grow">
        <h3><bdi>${remedy}</bdi></h3>
        <p class="small strong" role="status">${t("outbox.received", { time: moment(at) })}</p>
      </div>
    </li>
  `;
}

const reasonOf = (refusal) => fieldMessage(refusal.fields) || explain(refusal);

function confirmThrowingAway({ clientId, remedy }) {
  const act = () => {
    closeSheet();
    throwAway(clientId);
  };
  openSheet(
    () => html`
      <div class="sheet-page">
        <${SheetHeader} title=${t("outbox.throw_title")} />
        <div class="sheet-body"><p>${t("outbox.throw_text", { remedy })}</p></div>
        <footer><button class="primary" type="button" id="confirm-throwing-away" onClick=${act}>${t("outbox.throw_away")}</button></footer>
      </div>
    `,
  );
}
