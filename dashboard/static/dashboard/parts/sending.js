import { explain, fieldMessage } from "../errors.js";
import { t } from "../i18n.js";
import { html, useEffect, useRef, useSignal } from "../ui.js";
import { holdSheet, leadToMistake } from "./sheet.js";

/**
 * `{isSending, failure, wrong, correct, send}`: `act()` runs once at a time while the sheet stays, then `onDone(answer)`;
 * `wrong(field)` is what the server said about a field, until it is told with `correct(field)` that the field has changed.
 */
export function useSending(act, onDone) {
  const failure = useSignal(null);
  const corrected = useSignal([]);
  const isSending = useSignal(false);
  useEffect(() => void (failure.value && leadToMistake()), [failure.value]);
  const send = async (event) => {
    event?.preventDefault();
    if (isSending.peek()) return;
    failure.value = null;
    corrected.value = [];
    isSending.value = true;
    holdSheet(true);
    try {
      onDone(await act());
    } catch (error) {
      failure.value = error;
    }
    isSending.value = false;
    holdSheet(false);
  };
  const mistakes = Object.keys(failure.value?.fields ?? {});
  const isCorrected = mistakes.length > 0 && mistakes.every((field) => corrected.value.includes(field));
  const wrong = (field) => (corrected.value.includes(field) ? "" : fieldMessage(failure.value?.fields?.[field]));
  const correct = (field) => (corrected.value = [...corrected.peek(), field]);
  return { isSending: isSending.value, failure: isCorrected ? null : failure.value, wrong, correct, send };
}

/** What ends a sheet's form: why it failed, if it did, and the button; `fields` are those that say it themselves. */
export function Send({ sending, label, id, fields = [] }) {
  const { failure, isSending, wrong, correct } = sending;
  const button = useRef(null);
  useEffect(() => watchMistakes(button.current.form, correct), []);
  const isSaidThere = fields.some(wrong);
  return html`
    <footer>
      ${failure && html`<div class="notice bad" role="alert">${isSaidThere ? t("feedback.check") : explain(failure)}</div>`}
      <button class="primary" id=${id} ref=${button} disabled=${isSending}>${isSending ? t("feedback.sending") : label}</button>
    </footer>
  `;
}

/** Calls `correct(field)` when something is typed or chosen in a field at which a mistake is shown. */
function watchMistakes(form, correct) {
  const changed = ({ target }) => {
    const mistake = target.closest(".field, fieldset")?.querySelector(".error[id$='-error']");
    if (mistake) correct(mistake.id.slice(0, -"-error".length));
  };
  const pressed = (event) => event.target.closest(".field button") && changed(event);
  form.addEventListener("input", changed);
  form.addEventListener("click", pressed, true); // what is pressed may be gone when it has been heard
}
