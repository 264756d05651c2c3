// What a practitioner does with the recommendations of a diagnosis. The stream shows the outcome on every screen.

import { get, patch, post } from "../api.js";
import { numberIn } from "../dates.js";
import { plainNumber, t } from "../i18n.js";
import { identifier } from "../identifier.js";
import { announce } from "../parts/announcer.js";
import { Field } from "../parts/field.js";
import { Icon } from "../parts/icon.js";
import { Problem, Waiting } from "../parts/notices.js";
import { Send, useSending } from "../parts/sending.js";
import { closeSheet, SheetHeader } from "../parts/sheet.js";
import { useResource } from "../resource.js";
import { html, useMemo, useSignal } from "../ui.js";
import { refuse } from "./form.js";
import { RemedyField } from "./remedy_field.js";
import { Text } from "./text.js";

const EMPTY = { dosage: "", frequency: "", duration_days: "", instructions: "" };
const DETAILS = Object.keys(EMPTY);
const DAYS = { least: 1, most: 730 };
const ACTS = { change: ["note", Change], replace: ["swap", Replace], complete: ["check", Complete], stop: ["close", Stop] };

/** The sheet that recommends another remedy in `diagnosis`. */
export function AddSheet({ diagnosis }) {
  const forbidden = useForbidden(diagnosis.patient);
  const send = (typed, once) => post(`/api/diagnoses/${diagnosis.id}/recommendations/`, typed, once);
  return html`<${WithRemedy} title=${t("prescribe.add_title")} about=${diagnosis.patient_name} submit=${t("prescribe.add")} said=${t("prescribe.added")} forbidden=${forbidden} send=${send} />`;
}

/** The sheet of one recommendation: what to do with it, then that. */
export function ManageSheet({ diagnosis, recommendation }) {
  const { data, failure, again } = useResource(() => get(`/api/recommendations/${recommendation.id}/`));
  const act = useSignal(null);
  if (act.value && data) return html`<${ACTS[act.value][1]} diagnosis=${diagnosis} recommendation=${data} />`;
  return html`
    <div class="sheet-page">
      <${SheetHeader} title=${t("prescribe.manage_title")} about=${recommendation.name} />
      <div class="sheet-body">
        ${failure && html`<${Problem} failure=${failure} retry=${again} />`}
        ${!data && !failure && html`<${Waiting} cards=${1} />`}
        ${data && html`<div class="acts">${Object.entries(ACTS).map(([name, [icon]]) => html`
          <button class=${name === "stop" ? "row danger" : "row"} type="button" key=${name} id=${`act-${name}`} onClick=${() => (act.value = name)}>
            <${Icon} name=${icon} /><span class="grow"><span class="strong">${t(`prescribe.${name}`)}</span><br /><span class="soft small">${t(`prescribe.${name}_hint`)}</span></span>
          </button>`)}</div>`}
      </div>
    </div>
  `;
}

function Change({ recommendation }) {
  const { remedy_name: name, dosage, frequency, duration_days, instructions } = recommendation;
  const typed = useSignal({ dosage, frequency, duration_days: shownDays(duration_days), instructions });
  const sending = useTelling(() => {
    refuse(mistakesIn(typed.value));
    return patch(pathOf(recommendation), { ...sent(typed.value), seen: { dosage, frequency, duration_days, instructions } });
  }, t("prescribe.changed"));
  return html`
    <form class="sheet-page" novalidate onSubmit=${sending.send}>
      <${SheetHeader} title=${t("prescribe.change")} about=${name} />
      <div class="sheet-body"><${Details} typed=${typed} sending=${sending} /></div>
      <${Send} id="sheet-send" sending=${sending} fields=${DETAILS} label=${t("prescribe.change_submit")} />
    </form>
  `;
}

function Replace({ diagnosis, recommendation }) {
  const forbidden = useForbidden(diagnosis.patient);
  const send = (typed, once) => post(`${pathOf(recommendation)}replace/`, typed, once);
  const title = t("prescribe.replace_title", { remedy: recommendation.remedy_name });
  return html`<${WithRemedy} hasReason title=${title} submit=${t("prescribe.replace")} said=${t("prescribe.replaced")} forbidden=${forbidden} send=${send} />`;
}

function Stop({ recommendation }) {
  const reason = useSignal("");
  const sending = useTelling(() => post(`${pathOf(recommendation)}stop/`, { reason: reason.value }), t("prescribe.stopped"));
  return html`
    <form class="sheet-page" novalidate onSubmit=${sending.send}>
      <${SheetHeader} title=${t("prescribe.stop")} about=${recommendation.remedy_name} />
      <div class="sheet-body"><${Reason} reason=${reason} sending=${sending} /></div>
      <${Send} id="sheet-send" sending=${sending} fields=${["reason"]} label=${t("prescribe.stop")} />
    </form>
  `;
}

function Complete({ recommendation }) {
  const sending = useTelling(() => post(`${pathOf(recommendation)}complete/`), t("prescribe.completed"));
  return html`
    <form class="sheet-page" novalidate onSubmit=${sending.send}>
      <${SheetHeader} title=${t("prescribe.complete")} about=${recommendation.remedy_name} />
      <div class="sheet-body"><p>${t("prescribe.complete_hint")}</p></div>
      <${Send} id="sheet-send" sending=${sending} label=${t("prescribe.complete")} />
    </form>
  `;
}

/** A form that chooses a remedy and says how to take it. */
function WithRemedy({ title, about, submit, said, forbidden, send, hasReason }) {
  const remedy = useSignal(null);
  const typed = useSignal(EMPTY);
  const reason = useSignal("");
  const key = useMemo(identifier, []);
  const act = () => {
    refuse(mistakesIn(typed.value));
    return send({ ...sent(typed.value), remedy: remedy.value?.slug ?? "", ...(hasReason && { reason: reason.value }) }, { key });
  };
  const sending = useTelling(act, said);
  return html`
    <form class="sheet-page" novalidate onSubmit=${sending.send}>
      <${SheetHeader} title=${title} about=${about} />
      <div class="sheet-body">
        <${RemedyField} value=${remedy.value} error=${sending.wrong("remedy")} forbidden=${forbidden} onChoose=${(value) => (remedy.value = value)} />
        <${Details} typed=${typed} sending=${sending} />
        ${hasReason && html`<${Reason} reason=${reason} sending=${sending} />`}
      </div>
      <${Send} id="sheet-send" sending=${sending} fields=${["remedy", "reason", ...DETAILS]} label=${submit} />
    </form>
  `;
}

function Details({ typed, sending }) {
  const change = (name) => (value) => (typed.value = { ...typed.value, [name]: value });
  const line = (name, attributes) => html`<${Field}
    name=${name}
    label=${t(`prescribe.${name}`)}
    value=${typed.value[name]}
    error=${sending.wrong(name)}
    onInput=${({ target }) => change(name)(target.value)}
    ...${attributes}
  />`;
  return html`
    ${line("dosage", { dir: "auto", autocomplete: "off" })}
    ${line("frequency", { dir: "auto", autocomplete: "off" })}
    ${line("duration_days", { inputmode: "numeric", autocomplete: "off" })}
    <${Text} name="instructions" label=${t("prescribe.instructions")} value=${typed.value.instructions} error=${sending.wrong("instructions")} onInput=${change("instructions")} />
  `;
}

function Reason({ reason, sending }) {
  return html`<${Text} name="reason" label=${t("prescribe.reason")} value=${reason.value} error=${sending.wrong("reason")} onInput=${(value) => (reason.value = value)} />`;
}

const pathOf = ({ id }) => `/api/recommendations/${id}/`;

/** Days in the reader's digits; none is empty. */
const shownDays = (days) => (days === null ? "" : plainNumber(days));
const daysIn = (text) => (text.trim() ? numberIn(text) : null);

function mistakesIn({ duration_days }) {
  const days = daysIn(duration_days);
  const isRight = days === null || (days >= DAYS.least && days <= DAYS.most);
  return { duration_days: !isRight && t("prescribe.no_days", DAYS) };
}

/** As the API takes it. */
const sent = (typed) => ({ ...typed, duration_days: daysIn(typed.duration_days) });

function useTelling(act, said) {
  return useSending(act, () => {
    closeSheet();
    announce(said);
  });
}

/** Slugs of what must not be given to the patient, with the cause. Only a help: the server decides. */
function useForbidden(patient) {
  const path = `/api/patients/${patient}/contraindications/?standing=true&page_size=100`;
  const { data } = useResource(async () => (await get(path)).results);
  return new Map((data ?? []).map(({ remedy, cause_name }) => [remedy, cause_name]));
}
