import { post } from "../api.js";
import { day, t } from "../i18n.js";
import { identifier } from "../identifier.js";
import { announce } from "../parts/announcer.js";
import { Bits } from "../parts/bits.js";
import { Choose } from "../parts/choose.js";
import { Icon } from "../parts/icon.js";
import { Send, useSending } from "../parts/sending.js";
import { closeSheet, openSheet, SheetHeader } from "../parts/sheet.js";
import { me } from "../session.js";
import { html, useMemo, useSignal } from "../ui.js";
import { refuse } from "./form.js";
import { RemedyField } from "./remedy_field.js";
import { Text } from "./text.js";

const CAUSES = ["allergy", "intolerance", "pregnancy", "interaction", "other"];

/** What must not be given to a patient. Practitioners state and lift it; what was lifted stays to be read. */
export function Contraindications({ patient, all, onChanged }) {
  const standing = all.filter(({ lifted_at }) => !lifted_at);
  const lifted = all.filter(({ lifted_at }) => lifted_at);
  const mayWrite = me.value.role === "practitioner";
  const path = `/api/patients/${patient.id}/contraindications/`;
  const lift = (row) => openSheet(() => html`<${Lift} row=${row} path=${path} onDone=${onChanged} />`);
  const state = () => openSheet(() => html`<${State} patient=${patient} path=${path} onDone=${onChanged} />`);
  return html`
    <section class="part" aria-labelledby="contra-title">
      <h2 id="contra-title">${t("contra.title")}</h2>
      ${standing.length > 0
        ? html`<ul class="card flush due plain-list">${standing.map((row) => html`<${Standing} key=${row.id} row=${row} onLift=${mayWrite && lift} />`)}</ul>`
        : html`<p class="soft lead">${t("contra.none")}</p>`}
      ${mayWrite && html`<button class="quiet wide" type="button" id="contra-state" onClick=${state}>${t("contra.state")}</button>`}
      ${lifted.length > 0 && html`<${Lifted} rows=${lifted} />`}
    </section>
  `;
}

function Standing({ row, onLift }) {
  const { remedy_name, cause_name, reason, stated_at, stated_by } = row;
  return html`
    <li>
      <span class="medallion warn"><${Icon} name="alert" /></span>
      <div class="grow">
        <h3><bdi>${remedy_name}</bdi></h3>
        <p class="small"><${Bits} of=${[cause_name, reason]} /></p>
        <p class="soft small"><${Bits} of=${[day(new Date(stated_at)), stated_by]} /></p>
      </div>
      ${onLift && html`<button class="tonal" type="button" aria-label=${t("contra.lift_of", { remedy: remedy_name })} onClick=${() => onLift(row)}>${t("contra.lift")}</button>`}
    </li>
  `;
}

function Lifted({ rows }) {
  return html`
    <details class="figures">
      <summary>${t("contra.lifted", { count: rows.length })}</summary>
      <ul class="plain-list">${rows.map((row) => html`<li key=${row.id} class="soft small"><${Bits} of=${[row.remedy_name, row.cause_name, day(new Date(row.lifted_at)), row.lifted_by]} /></li>`)}</ul>
    </details>
  `;
}

function Lift({ row, path, onDone }) {
  const sending = useSending(
    () => post(`${path}${row.id}/lift/`),
    () => {
      closeSheet();
      announce(t("contra.lift_done"));
      onDone();
    },
  );
  return html`
    <form class="sheet-page" novalidate onSubmit=${sending.send}>
      <${SheetHeader} title=${t("contra.lift_title")} about=${row.remedy_name} />
      <div class="sheet-body"><p>${t("contra.lift_text")}</p></div>
      <${Send} id="confirm-lift" sending=${sending} label=${t("contra.lift")} />
    </form>
  `;
}

function State({ patient, path, onDone }) {
  const typed = useSignal({ remedy: null, cause: CAUSES[0], reason: "" });
  const stated = useSignal(null);
  const change = (part) => (typed.value = { ...typed.value, ...part });
  const key = useMemo(identifier, []);
  const act = () => {
    const { remedy, ...rest } = typed.value;
    refuse({ remedy: !remedy && t("prescribe.remedy_missing") });
    return post(path, { ...rest, remedy: remedy.slug }, { key });
  };
  const sending = useSending(act, (answer) => {
    onDone();
    if (answer.active_recommendations.length) stated.value = answer;
    else closeSheet();
  });
  const { remedy, cause, reason } = typed.value;
  const causes = CAUSES.map((value) => ({ value, label: t(`cause.${value}`) }));
  if (stated.value) return html`<${StillGiven} stated=${stated.value} />`;
  return html`
    <form class="sheet-page" novalidate onSubmit=${sending.send}>
      <${SheetHeader} title=${t("contra.state_title")} about=${patient.full_name} />
      <div class="sheet-body">
        <${RemedyField} value=${remedy} error=${sending.wrong("remedy")} onChoose=${(value) => change({ remedy: value })} />
        <${Choose} name="cause" label=${t("contra.cause")} options=${causes} value=${cause} error=${sending.wrong("cause")} onChoose=${(value) => change({ cause: value })} />
        <${Text} name="reason" rows=${2} label=${t("prescribe.reason")} value=${reason} error=${sending.wrong("reason")} onInput=${(value) => change({ reason: value })} />
      </div>
      <${Send} id="sheet-send" sending=${sending} fields=${["remedy", "cause", "reason"]} label=${t("contra.state_submit")} />
    </form>
  `;
}

/** Nothing is stopped but by a practitioner: says where it is still given, and leads there. */
function StillGiven({ stated }) {
  return html`
    <div class="sheet-page">
      <${SheetHeader} title=${t("contra.still_given")} about=${stated.remedy_name} />
      <div class="sheet-body">
        <p>${t("contra.still_given_text")}</p>
        <div class="rows">${stated.active_recommendations.map(({ id, diagnosis, dosage }) => html`<a class="row" key=${id} href=${`#/diagnoses/${diagnosis}`}><span class="grow">${t("contra.to_diagnosis")} <${Bits} of=${[dosage]} /></span><${Icon} name="forward" /></a>`)}</div>
      </div>
    </div>
  `;
}
