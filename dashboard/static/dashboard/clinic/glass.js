// Records that are opened in an emergency: by whom one is, and the sheet in which a practitioner does it.

import { post } from "../api.js";
import { latinDigits } from "../dates.js";
import { moment, t } from "../i18n.js";
import { Bits } from "../parts/bits.js";
import { Field } from "../parts/field.js";
import { Send, useSending } from "../parts/sending.js";
import { closeSheet, SheetHeader } from "../parts/sheet.js";
import { html, useSignal } from "../ui.js";
import { refuse } from "./form.js";
import { Text } from "./text.js";

const FIELDS = ["number", "reason"];
const IS_NUMBER = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Asks for the number of the record and the reason, and leads to where the record is, if there is one. */
export function GlassSheet() {
  const typed = useSignal({ number: "", reason: "" });
  const change = (part) => (typed.value = { ...typed.value, ...part });
  const number = latinDigits(typed.value.number).trim().toLowerCase();
  const sending = useSending(
    () => {
      refuse({
        number: !IS_NUMBER.test(number) && t("glass.no_number"),
        reason: !typed.value.reason.trim() && t("glass.no_reason"),
      });
      return post(`/api/patients/${number}/break-glass`, { reason: typed.value.reason });
    },
    () => {
      closeSheet();
      location.hash = `#/patients/${number}`;
    },
  );
  return html`
    <form class="sheet-page" novalidate onSubmit=${sending.send}>
      <${SheetHeader} title=${t("glass.title")} />
      <div class="sheet-body">
        <p>${t("glass.text")}</p>
        <${Field} name="number" label=${t("glass.number")} hint=${t("glass.number_hint")} autocomplete="off" dir="ltr" value=${typed.value.number} error=${sending.wrong("number")} onInput=${({ target }) => change({ number: target.value })} />
        <${Text} name="reason" rows=${2} required label=${t("prescribe.reason")} value=${typed.value.reason} error=${sending.wrong("reason")} onInput=${(reason) => change({ reason })} />
      </div>
      <${Send} id="sheet-send" sending=${sending} fields=${FIELDS} label=${t("glass.submit")} />
    </form>
  `;
}

/** Who opened this record in an emergency; nothing where nobody did. */
export function BrokenGlass({ all }) {
  if (!all.length) return null;
  const line = ({ id, practitioner, at, reason, reviewed_at }) => html`
    <li key=${id} class="small">
      <bdi class="strong">${practitioner}</bdi> <span class="soft"><${Bits} of=${[moment(new Date(at)), reviewed_at && t("glass.reviewed")]} /></span><br />
      <bdi>${reason}</bdi>
    </li>
  `;
  return html`
    <section class="part" aria-labelledby="glass-title">
      <h2 id="glass-title">${t("glass.opened")}</h2>
      <ul class="card plain-list">${all.map(line)}</ul>
    </section>
  `;
}
