// The sheets in which a practitioner records a diagnosis and changes it. The stream shows the outcome on every screen.

import { patch } from "../api.js";
import { otherNameOf } from "../catalogue.js";
import { list, t, word } from "../i18n.js";
import { announce } from "../parts/announcer.js";
import { Choose } from "../parts/choose.js";
import { Icon } from "../parts/icon.js";
import { Scale } from "../parts/scale.js";
import { Send, useSending } from "../parts/sending.js";
import { closeSheet, SheetHeader } from "../parts/sheet.js";
import { html, useSignal } from "../ui.js";
import { changeSeen, createOnce, refuse, useChanges, useTyped } from "./form.js";
import { MIZAJES } from "./person.js";
import { TermField } from "./term_field.js";
import { Text } from "./text.js";

const EMPTY = { condition: null, severity: null, imbalance: "", symptoms: "", notes: "" };
const FINDING = ["severity", "imbalance", "symptoms", "notes"];
// What can be done with a diagnosis that is so; each but the first leads to a status.
const ACTS_IN = { active: ["change", "resolve", "mistake"], resolved: ["change", "reopen", "mistake"], entered_in_error: ["reopen"] };
const ICONS = { change: "note", resolve: "check", reopen: "swap", mistake: "close" };
const LEADS_TO = { resolve: "resolved", reopen: "active", mistake: "entered_in_error" };

/** The sheet that records a diagnosis of `patient`; then it is opened, for what comes next is to recommend. */
export function RecordSheet({ patient }) {
  const typed = useTyped(`a diagnosis of ${patient.id}`, EMPTY);
  const { values, change, key } = typed;
  const sending = useFinding(typed, t("diagnosing.recorded"), () => {
    refuse({ condition: !values.condition && t("diagnosing.condition_missing"), severity: !values.severity && t("feedback.choose") });
    const finding = sent(values);
    const { slug: condition } = values.condition;
    // Another condition is another diagnosis, also for a try that has got no answer.
    return createOnce("/api/diagnoses/", { patient: patient.id, condition, ...finding }, { key: `${key} ${condition}`, changeable: finding });
  });
  return html`
    <form class="sheet-page" novalidate onSubmit=${sending.send}>
      <${SheetHeader} title=${t("diagnosing.record_title")} about=${patient.full_name} />
      <div class="sheet-body">
        <${ConditionField} value=${values.condition} error=${sending.wrong("condition")} onChoose=${(condition) => change({ condition })} />
        <${Finding} values=${values} change=${change} sending=${sending} />
      </div>
      <${Send} id="sheet-send" sending=${sending} fields=${["condition", ...FINDING]} label=${t("diagnosing.record_submit")} />
    </form>
  `;
}

/** The sheet of one diagnosis: what to do with it, then that. */
export function ManageSheet({ diagnosis, onDone }) {
  const act = useSignal(null);
  if (act.value === "change") return html`<${Change} diagnosis=${diagnosis} onDone=${onDone} />`;
  if (act.value) return html`<${Conclude} diagnosis=${diagnosis} act=${act.value} />`;
  return html`
    <div class="sheet-page">
      <${SheetHeader} title=${t("diagnosing.manage_title")} about=${diagnosis.condition_name} />
      <div class="sheet-body">
        <div class="acts">${ACTS_IN[diagnosis.status].map((name) => html`
          <button class=${name === "mistake" ? "row danger" : "row"} type="button" key=${name} id=${`act-${name}`} onClick=${() => (act.value = name)}>
            <${Icon} name=${ICONS[name]} /><span class="grow"><span class="strong">${t(`diagnosing.${name}`)}</span><br /><span class="soft small">${t(`diagnosing.${name}_hint`)}</span></span>
          </button>`)}</div>
      </div>
    </div>
  `;
}

/** Sends only what was changed: what somebody else has changed meanwhile stays, and the same is not changed unseen. */
function Change({ diagnosis, onDone }) {
  const typed = useChanges(`the diagnosis ${diagnosis.id}`, diagnosis, shown);
  const act = () => changeSeen(`/api/diagnoses/${diagnosis.id}/`, sent(typed.changes), typed, say);
  const sending = useFinding(typed, t("diagnosing.changed"), act, onDone);
  return html`
    <form class="sheet-page" novalidate onSubmit=${sending.send}>
      <${SheetHeader} title=${t("diagnosing.change")} about=${diagnosis.condition_name} />
      <div class="sheet-body"><${Finding} values=${typed.values} change=${typed.change} sending=${sending} /></div>
      <${Send} id="sheet-send" sending=${sending} fields=${FINDING} label=${t("prescribe.change_submit")} />
    </form>
  `;
}

function Conclude({ diagnosis, act }) {
  const sending = useSending(
    () => patch(`/api/diagnoses/${diagnosis.id}/`, { status: LEADS_TO[act] }),
    () => {
      closeSheet();
      announce(t(`diagnosing.${act}_done`));
    },
  );
  return html`
    <form class="sheet-page" novalidate onSubmit=${sending.send}>
      <${SheetHeader} title=${t(`diagnosing.${act}`)} about=${diagnosis.condition_name} />
      <div class="sheet-body"><p>${t(`diagnosing.${act}_text`)}</p></div>
      <${Send} id="sheet-send" sending=${sending} label=${t(`diagnosing.${act}`)} />
    </form>
  `;
}

function ConditionField({ value, error, onChoose }) {
  const about = (condition) => [otherNameOf(condition)];
  return html`<${TermField} id="condition" path="/api/conditions/" icon="note" label=${t("diagnosing.condition")} hint=${t("term.hint")} none=${t("diagnosing.no_condition")} about=${about} value=${value} error=${error} onChoose=${onChoose} />`;
}

function Finding({ values, change, sending }) {
  const imbalances = [{ value: "", label: t("record.unknown") }, ...MIZAJES.map((value) => ({ value, label: word("mizaj", value) }))];
  const text = (name, attributes) => html`<${Text} name=${name} label=${t(`diagnosing.${name}`)} hint=${t(`diagnosing.${name}_hint`)} value=${values[name]} error=${sending.wrong(name)} onInput=${(value) => change({ [name]: value })} ...${attributes} />`;
  return html`
    <${Scale} name="severity" label=${t("diagnosing.severity")} words="feedback.severity" value=${values.severity} error=${sending.wrong("severity")} onChange=${(severity) => change({ severity })} />
    <${Choose} name="imbalance" label=${t("diagnosing.imbalance")} options=${imbalances} value=${values.imbalance} error=${sending.wrong("imbalance")} onChoose=${(imbalance) => change({ imbalance })} />
    ${text("symptoms", { rows: 4 })}
    ${text("notes")}
  `;
}

/** Symptoms are typed a line each. */
const shown = ({ severity, imbalance, notes, symptoms }) => ({ severity, imbalance, notes, symptoms: symptoms.join("\n") });

/** As the API takes it. */
function sent({ condition: _, symptoms, ...rest }) {
  if (symptoms === undefined) return rest;
  return { ...rest, symptoms: symptoms.split("\n").map((line) => line.trim()).filter(Boolean) };
}

/** What a field holds, in words. */
function say(field, value) {
  if (field === "symptoms") return list(value);
  if (field === "severity") return t(`feedback.severity_${value}`);
  return field === "imbalance" && value ? word("mizaj", value) : value;
}

/** Sending a finding; afterwards what was typed is no draft any more. */
function useFinding({ drop }, said, act, onDone = ({ id }) => (location.hash = `#/diagnoses/${id}`)) {
  return useSending(act, (answer) => {
    drop();
    closeSheet();
    announce(said);
    onDone(answer);
  });
}
