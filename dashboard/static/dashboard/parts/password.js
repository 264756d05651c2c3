import { post } from "../api.js";
import { explain, fieldMessage } from "../errors.js";
import { t } from "../i18n.js";
import { html, useEffect, useRef, useSignal } from "../ui.js";
import { Field } from "./field.js";
import { Icon } from "./icon.js";
import { closeSheet, openSheet, SheetHeader } from "./sheet.js";

const FIELDS = { current: "current-password", new: "new-password" };

export function PasswordRow({ changed }) {
  const open = () => openSheet(() => html`<${PasswordSheet} changed=${changed} />`);
  return html`<button class="row" type="button" id="change-password" onClick=${open}><${Icon} name="swap" /><span class="grow">${t("password.change")}</span></button>`;
}

/** `changed()` is called when the other sessions have ended. */
function PasswordSheet({ changed }) {
  const typed = useRef({ current: "", new: "" });
  const form = useRef(null);
  const missing = useSignal([]);
  const failure = useSignal(null);
  const isSending = useSignal(false);
  const refusals = useSignal(0);
  useEffect(() => void (refusals.value && form.current.querySelector("[aria-invalid]")?.focus()), [refusals.value]);
  const submit = async (event) => {
    event.preventDefault();
    failure.value = null;
    missing.value = Object.keys(FIELDS).filter((name) => !typed.current[name]);
    if (missing.value.length) return void (refusals.value += 1);
    isSending.value = true;
    try {
      await post("/api/me/password", typed.current);
      closeSheet();
      changed();
    } catch (error) {
      failure.value = error;
      refusals.value += 1;
    }
    isSending.value = false;
  };
  const field = ([name, autocomplete]) => html`<${Field}
    name=${name}
    type="password"
    dir="ltr"
    label=${t(`password.${name}`)}
    hint=${name === "new" && t("register.password_hint")}
    error=${missing.value.includes(name) ? t("signin.password_missing") : fieldMessage(failure.value?.fields[name])}
    autocomplete=${autocomplete}
    onInput=${({ target }) => (typed.current[name] = target.value)}
  />`;
  const isGeneral = failure.value && !Object.keys(FIELDS).some((name) => failure.value.fields[name]);
  return html`
    <form class="sheet-page" ref=${form} novalidate onSubmit=${submit}>
      <${SheetHeader} title=${t("password.change")} about=${t("password.hint")} />
      <div class="sheet-body form">
        ${Object.entries(FIELDS).map(field)}
        ${isGeneral && html`<div class="notice bad" role="alert">${explain(failure.value)}</div>`}
      </div>
      <footer><button class="primary" id="save-password" disabled=${isSending.value}>${t("password.save")}</button></footer>
    </form>
  `;
}
