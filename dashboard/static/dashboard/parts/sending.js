import { explain, fieldMessage } from "../errors.js";
import { t } from "../i18n.js";
import { html, useEffect, useSignal } from "../ui.js";
import { holdSheet, leadToMistake } from "./sheet.js";

/**
 * `{isSending, failure, wrong, send}`: `act()` runs once at a time while the sheet stays, then `onDone(answer)`;
 * `wrong(field)` is what the server said about a field.
 */
export function useSending(act, onDone) {
  const failure = useSignal(null);
  const isSending = useSignal(false);
  useEffect(() => void (failure.value && leadToMistake()), [failure.value]);
  const send = async (event) => {
    event?.preventDefault();
    if (isSending.peek()) return;
    failure.value = null;
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
  const wrong = (field) => fieldMessage(failure.value?.fields?.[field]);
  return { isSending: isSending.value, failure: failure.value, wrong, send };
}

/** What ends a sheet's form: why it failed, if it did, and the button; `fields` are those that say it themselves. */
export function Send({ sending, label, id, fields = [] }) {
  const { failure, isSending, wrong } = sending;
  const isSaidThere = fields.some(wrong);
  return html`
    <footer>
      ${failure && html`<div class="notice bad" role="alert">${isSaidThere ? t("feedback.check") : explain(failure)}</div>`}
      <button class="primary" id=${id} disabled=${isSending}>${isSending ? t("feedback.sending") : label}</button>
    </footer>
  `;
}
