import { explain } from "../errors.js";
import { t } from "../i18n.js";
import { lookAtPush, push, turnPushOff, turnPushOn } from "../push.js";
import { html, useEffect, useSignal } from "../ui.js";

/** Whether this device is told when there is something new; nothing where that is not possible. */
export function PushChoice() {
  const failure = useSignal(null);
  const isBusy = useSignal(false);
  useEffect(() => void lookAtPush().catch(() => {}), []); // without the server there is nothing to choose
  if (push.value === "unknown") return null;
  const choose = async ({ target }) => {
    isBusy.value = true;
    failure.value = null;
    try {
      await (target.checked ? turnPushOn() : turnPushOff());
    } catch (error) {
      failure.value = error;
    }
    target.checked = push.value === "on"; // the box is no further than the truth
    isBusy.value = false;
  };
  return html`
    <section class="card" aria-label=${t("push.title")}>
      <label class="switch">
        <span>${t("push.title")}</span>
        <input type="checkbox" role="switch" id="push" checked=${push.value === "on"} disabled=${isBusy.value || push.value === "blocked"} onChange=${choose} />
        <i aria-hidden="true" />
      </label>
      <p class="soft small">${t(push.value === "blocked" ? "push.blocked" : "push.hint")}</p>
      ${failure.value && html`<div class="notice bad" role="alert">${failure.value.code && failure.value.fields ? explain(failure.value) : t("push.failed")}</div>`}
    </section>
  `;
}
