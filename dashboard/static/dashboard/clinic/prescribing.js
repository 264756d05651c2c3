// What a practitioner does with the recommendations of a diagnosis. The stream shows the outcome on every screen.

import { get, patch, post } from "../api.js";
import { numberIn } from "../dates.js";
import { plainNumber, t } from "../i18n.js";
import { announce } from "../parts/announcer.js";
import { Field } from "../parts/field.js";
import { Icon } from "../parts/icon.js";
import { Problem, Waiting } from "../parts/notices.js";
import { Send, useSending } from "../parts/sending.js";
import { closeSheet, SheetHeader } from "../parts/sheet.js";
import { useResource } from "../resource.js";
import { html, useMemo, useSignal } from "../ui.js";
import { createOnce, refuse, useTyped } from "./form.js";
import { RemedyField } from "./remedy_field.js";
import { Text } from "./text.js";

const EMPTY = { dosage: "", frequency: "", duration_days: "", instructions: "" };
const DETAILS = Object.keys(EMPTY);
const ALL = "/api/recommendations/";
const DAYS = { least: 1, most: 730 };
const ACTS = { change: ["note", Change], replace: ["swap", Replace], complete: ["check", Complete], stop: ["close", Stop] };

/** The sheet that recommends another remedy in `diagnosis`. */
export function AddSheet({ diagnosis }) {
  const forbidden = useForbidden(diagnosis.patient);
  return html`<${WithRemedy} name=${`a recommendation in ${diagnosis.id}`} path=${`/api/diagnoses/${diagnosis.id}/recommendations/`} title=${t("prescribe.add_title")} about=${diagnosis.patient_name} submit=${t("prescribe.add")} said=${t("prescribe.added")} forbidden=${forbidden} />`;
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

/** What somebody else has changed meanwhile is shown, and what was typed stays: the next try is made from what is there. */
function Change({ recommendation }) {
  const before = useMemo(() => detailsOf(recommendation), []);
  const there = useSignal(before);
  const typed = useSignal({});
  const shown = shownOf(there.value);
  const values = { ...shown, ...typed.value };
  const change = (part) => (typed.value = { ...typed.value, ...part });
  const meanwhile = Object.fromEntries(DETAILS.filter((name) => there.value[name] !== before[name]).map((name) => [name, t("prescribe.meanwhile", { value: shown[name] || t("prescribe.nothing") })]));
  const sending = useTelling(async () => {
    refuse(mistakesIn(values));
    try {
      return await patch(pathOf(recommendation), { ...sent(values), seen: there.value });
    } catch (error) {
      if (error.current) there.value = detailsOf(error.current);
      throw error;
    }
  }, t("prescribe.changed"));
  return html`
    <form class="sheet-page" novalidate onSubmit=${sending.send}>
      <${SheetHeader} title=${t("prescribe.change")} about=${recommendation.remedy_name} />
      <div class="sheet-body"><${Details} values=${values} hints=${meanwhile} change=${change} sending=${sending} /></div>
      <${Send} id="sheet-send" sending=${sending} fields=${DETAILS} label=${t("prescribe.change_submit")} />
    </form>
  `;
}

function Replace({ diagnosis, recommendation }) {
  const forbidden = useForbidden(diagnosis.patient);
  const title = t("prescribe.replace_title", { remedy: recommendation.remedy_name });
  return html`<${WithRemedy} hasReason name=${`instead of ${recommendation.id}`} path=${`${pathOf(recommendation)}replace/`} title=${title} submit=${t("prescribe.replace")} said=${t("prescribe.replaced")} forbidden=${forbidden} />`;
}

function Stop({ recommendation }) {
  const reason = useSignal("");
  const sending = useTelling(() => post(`${pathOf(recommendation)}stop/`, { reason: reason.value }), t("prescribe.stopped"));
  return html`
    <form class="sheet-page" novalidate onSubmit=${sending.send}>
      <${SheetHeader} title=${t("prescribe.stop")} about=${recommendation.remedy_name} />
      <div class="sheet-body"><${Reason} value=${reason.value} sending=${sending} onInput=${(text) => (reason.value = text)} /></div>
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
function WithRemedy({ name, path, title, about, submit, said, forbidden, hasReason }) {
  const { values, change, key, drop } = useTyped(name, { ...EMPTY, remedy: null, reason: "" });
  const { remedy, reason, ...typed } = values;
  const act = () => {
    refuse({ remedy: !remedy && t("prescribe.remedy_missing"), ...mistakesIn(typed) });
    const details = sent(typed);
    // Another remedy is another recommendation, also for a try that has got no answer.
    const once = { key: `${key} ${remedy.slug}`, changeable: details, list: ALL };
    return createOnce(path, { ...details, remedy: remedy.slug, ...(hasReason && { reason }) }, once);
  };
  const sending = useTelling(act, said, drop);
  return html`
    <form class="sheet-page" novalidate onSubmit=${sending.send}>
      <${SheetHeader} title=${title} about=${about} />
      <div class="sheet-body">
        <${RemedyField} value=${remedy} error=${sending.wrong("remedy")} forbidden=${forbidden} onChoose=${(chosen) => change({ remedy: chosen })} />
        <${Details} values=${typed} change=${change} sending=${sending} />
        ${hasReason && html`<${Reason} value=${reason} sending=${sending} onInput=${(text) => change({ reason: text })} />`}
      </div>
      <${Send} id="sheet-send" sending=${sending} fields=${["remedy", "reason", ...DETAILS]} label=${submit} />
    </form>
  `;
}

/** `hints` maps fields to what is to be read with them. */
function Details({ values, hints = {}, change, sending }) {
  const line = (name, attributes) => html`<${Field}
    name=${name}
    label=${t(`prescribe.${name}`)}
    hint=${hints[name]}
    value=${values[name]}
    error=${sending.wrong(name)}
    onInput=${({ target }) => change({ [name]: target.value })}
    ...${attributes}
  />`;
  return html`
    ${line("dosage", { dir: "auto", autocomplete: "off" })}
    ${line("frequency", { dir: "auto", autocomplete: "off" })}
    ${line("duration_days", { inputmode: "numeric", autocomplete: "off" })}
    <${Text} name="instructions" label=${t("prescribe.instructions")} hint=${hints.instructions} value=${values.instructions} error=${sending.wrong("instructions")} onInput=${(instructions) => change({ instructions })} />
  `;
}

function Reason({ value, sending, onInput }) {
  return html`<${Text} name="reason" label=${t("prescribe.reason")} value=${value} error=${sending.wrong("reason")} onInput=${onInput} />`;
}

const pathOf = ({ id }) => `${ALL}${id}/`;

/** Days in the reader's digits; none is empty. */
const shownDays = (days) => (days === null ? "" : plainNumber(days));
const daysIn = (text) => (text.trim() ? numberIn(text) : null);

function mistakesIn({ duration_days }) {
  const days = daysIn(duration_days);
  const isRight = days === null || (days >= DAYS.least && days <= DAYS.most);
  return { duration_days: !isRight && t("prescribe.no_days", DAYS) };
}

const detailsOf = ({ dosage, frequency, duration_days, instructions }) => ({ dosage, frequency, duration_days, instructions });
const shownOf = (details) => ({ ...details, duration_days: shownDays(details.duration_days) });

/** As the API takes it. */
const sent = (typed) => ({ ...typed, duration_days: daysIn(typed.duration_days) });

function useTelling(act, said, drop) {
  return useSending(act, () => {
    drop?.();
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
