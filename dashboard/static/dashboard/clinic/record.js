// The sheets in which a practitioner opens a patient's record and changes it.

import { day, t, word } from "../i18n.js";
import { announce } from "../parts/announcer.js";
import { BirthDate, birthMistake } from "../parts/birth_date.js";
import { Choose } from "../parts/choose.js";
import { Field } from "../parts/field.js";
import { Send, useSending } from "../parts/sending.js";
import { closeSheet, SheetHeader } from "../parts/sheet.js";
import { SEXES } from "../parts/sex.js";
import { html } from "../ui.js";
import { changeSeen, createOnce, refuse, useChanges, useTyped } from "./form.js";
import { MIZAJES } from "./person.js";
import { Text } from "./text.js";

const EMPTY = { full_name: "", birth_date: "", sex: "", mizaj_type: "", medical_history: "", current_medications: "" };
const FIELDS = Object.keys(EMPTY);

export function NewPatientSheet() {
  const typed = useTyped("a new patient", EMPTY);
  const act = () => createOnce("/api/patients/", sent(typed.values), { key: typed.key });
  const opened = ({ id }) => (location.hash = `#/patients/${id}`);
  return html`<${Form} title=${t("record.new_title")} submit=${t("record.new_submit")} said=${t("record.new_done")} typed=${typed} act=${act} onDone=${opened} />`;
}

/** Sends only what was changed: what somebody else has changed meanwhile stays, and the same is not changed unseen. */
export function RecordSheet({ patient, onDone }) {
  const typed = useChanges(`the record ${patient.id}`, patient, shown);
  const act = () => changeSeen(`/api/patients/${patient.id}/`, sent(typed.changes), typed, say);
  return html`<${Form} title=${t("record.change_title")} about=${patient.full_name} submit=${t("record.change_submit")} said=${t("record.change_done")} typed=${typed} act=${act} onDone=${onDone} />`;
}

function Form({ title, about, submit, said, typed, act, onDone }) {
  const { values, change, drop } = typed;
  const sending = useSending(
    () => {
      refuse({ full_name: !values.full_name.trim() && t("record.full_name_missing"), birth_date: birthMistake(values.birth_date) });
      return act();
    },
    (answer) => {
      drop();
      closeSheet();
      announce(said);
      onDone(answer);
    },
  );
  const unknown = { value: "", label: t("record.unknown") };
  const choose = (field, label, options) => html`<${Choose} name=${field} label=${label} options=${[unknown, ...options]} value=${values[field]} error=${sending.wrong(field)} onChoose=${(value) => change({ [field]: value })} />`;
  const text = (field, label) => html`<${Text} name=${field} label=${label} value=${values[field]} error=${sending.wrong(field)} onInput=${(value) => change({ [field]: value })} />`;
  return html`
    <form class="sheet-page" novalidate onSubmit=${sending.send}>
      <${SheetHeader} title=${title} about=${about} />
      <div class="sheet-body">
        <${Field} name="full_name" label=${t("signin.full_name")} autocomplete="off" dir="auto" value=${values.full_name} error=${sending.wrong("full_name")} onInput=${({ target }) => change({ full_name: target.value })} />
        <${BirthDate} value=${values.birth_date} error=${sending.wrong("birth_date")} onChange=${(birth_date) => change({ birth_date })} />
        ${choose("sex", t("record.sex"), SEXES.map((value) => ({ value, label: t(`sex.${value}`) })))}
        ${choose("mizaj_type", t("patients.mizaj"), MIZAJES.map((value) => ({ value, label: word("mizaj", value) })))}
        ${text("medical_history", t("patient.history"))}
        ${text("current_medications", t("patient.medications"))}
      </div>
      <${Send} id="sheet-send" sending=${sending} fields=${FIELDS} label=${submit} />
    </form>
  `;
}

const shown = (patient) => Object.fromEntries(FIELDS.map((field) => [field, patient[field] ?? ""]));

/** As the API takes it: no birth date is null. */
const sent = (values) => ("birth_date" in values ? { ...values, birth_date: values.birth_date || null } : values);

/** What a field holds, in words. */
function say(field, value) {
  if (field === "birth_date") return value && day(new Date(`${value}T12:00`));
  if (field === "sex") return value && t(`sex.${value}`);
  return field === "mizaj_type" && value ? word("mizaj", value) : value;
}
