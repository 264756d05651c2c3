// What belongs to the patient: consents, a copy of everything, and the way out for ever.

import { get, post, put } from "../api.js";
import { explain, fieldMessage } from "../errors.js";
import { t } from "../i18n.js";
import { useResource } from "../resource.js";
import { signOut } from "../session.js";
import { html, useSignal } from "../ui.js";
import { Field } from "./field.js";
import { Icon } from "./icon.js";
import { ProblemBeside } from "./notices.js";
import { closeSheet, holdSheet, openSheet, SheetHeader } from "./sheet.js";

const FORMATS = ["json", "fhir"];

export function DataRights() {
  return html`
    <${Consents} />
    <section class="card flush rows" aria-label=${t("rights.title")}>
      ${FORMATS.map((format) => html`<${Download} key=${format} format=${format} />`)}
      <button class="row danger" type="button" id="erase" onClick=${openErasure}><${Icon} name="alert" /><span class="grow">${t("rights.erase")}</span></button>
    </section>
  `;
}

/** One answer of a patient; whoever was never asked is treated as having consented. */
export function ConsentSwitch({ purpose, title, text, isGiven, isBusy, onChoose }) {
  return html`
    <div>
      <label class="switch">
        <span>${title}</span>
        <input type="checkbox" role="switch" id=${`consent-${purpose}`} checked=${isGiven} disabled=${isBusy} aria-describedby=${`consent-${purpose}-text`} onChange=${onChoose} />
        <i aria-hidden="true" />
      </label>
      <p class="soft small" id=${`consent-${purpose}-text`}>${text}</p>
    </div>
  `;
}

function Consents() {
  const { data, failure, again } = useResource(() => get("/api/me/consents"));
  const refused = useSignal(null);
  const isBusy = useSignal(false);
  const choose = (purpose) => async ({ target }) => {
    isBusy.value = true;
    refused.value = null;
    try {
      await put("/api/me/consents", { [purpose]: target.checked });
    } catch (error) {
      refused.value = error;
      target.checked = !target.checked; // the box is no further than the truth
    }
    await again();
    isBusy.value = false;
  };
  if (failure && !data) return html`<${ProblemBeside} what=${t("rights.consents")} failure=${failure} retry=${again} />`;
  return html`
    <section aria-labelledby="consents-title">
      <h2 id="consents-title">${t("rights.consents")}</h2>
      <div class="card">
        ${(data ?? []).map(
          ({ purpose, title, text, is_given }) => html`
            <${ConsentSwitch} key=${purpose} purpose=${purpose} title=${title} text=${text} isGiven=${is_given !== false} isBusy=${isBusy.value} onChoose=${choose(purpose)} />
          `,
        )}
        ${refused.value && html`<div class="notice bad" role="alert">${explain(refused.value)}</div>`}
      </div>
    </section>
  `;
}

function Download({ format }) {
  const failure = useSignal(null);
  const isBusy = useSignal(false);
  const download = async () => {
    isBusy.value = true;
    failure.value = null;
    try {
      save(await get(`/api/me/export?format=${format}`), format === "json" ? "avicenna.json" : `avicenna.${format}.json`);
    } catch (error) {
      failure.value = error;
    }
    isBusy.value = false;
  };
  return html`
    <button class="row" type="button" id=${`export-${format}`} disabled=${isBusy.value} onClick=${download}><${Icon} name="install" /><span class="grow">${t(`rights.export_${format}`)}</span></button>
    ${failure.value && html`<div class="notice bad" role="alert">${explain(failure.value)}</div>`}
  `;
}

function save(data, name) {
  const address = URL.createObjectURL(new Blob([JSON.stringify(data, null, 2)], { type: "application/json" }));
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // the browser may still be writing
}

function openErasure() {
  openSheet(() => html`<${Erasure} />`);
}

function Erasure() {
  const password = useSignal("");
  const failure = useSignal(null);
  const isBusy = useSignal(false);
  const erase = async (event) => {
    event.preventDefault();
    isBusy.value = true;
    failure.value = null;
    holdSheet(true);
    try {
      await post("/api/me/erasure", { password: password.value, confirmation: "erase" });
      holdSheet(false);
      closeSheet();
      await signOut();
    } catch (error) {
      failure.value = error;
    }
    holdSheet(false);
    isBusy.value = false;
  };
  const wrong = fieldMessage(failure.value?.fields.password);
  return html`
    <form class="sheet-page" novalidate onSubmit=${erase}>
      <${SheetHeader} title=${t("rights.erase_title")} />
      <div class="sheet-body">
        <p>${t("rights.erase_text")}</p>
        <${Field} name="erasure-password" type="password" label=${t("signin.password")} autocomplete="current-password" dir="ltr" error=${wrong} onInput=${({ target }) => (password.value = target.value)} />
        ${failure.value && !wrong && html`<div class="notice bad" role="alert">${explain(failure.value)}</div>`}
      </div>
      <footer><button class="primary" id="confirm-erasure" disabled=${isBusy.value || !password.value}>${t("rights.erase_confirm")}</button></footer>
    </form>
  `;
}
