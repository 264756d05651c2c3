import { draftFor } from "../drafts.js";
import { explain, fieldMessage } from "../errors.js";
import { t } from "../i18n.js";
import { send as sendReport } from "../outbox.js";
import { html, useEffect, useSignal } from "../ui.js";
import { announce } from "./announcer.js";
import { Comment, isTooLong } from "./comment.js";
import { Scale } from "./scale.js";
import { closeSheet, holdSheet, leadToMistake, openSheet, SheetHeader } from "./sheet.js";
import { SideEffects } from "./side_effects.js";

// The fields of a report that say themselves what is wrong with them.
const SAID = ["rating", "symptom_improvement", "compliance", "side_effects", "comment"];

/** Opens the sheet for `{id, name}`; what was typed before is still there. Without a network the report waits. */
export function openFeedback({ recommendation }) {
  const draft = draftFor(recommendation.id);
  const deliver = async () => {
    const outcome = await sendReport({ draft, remedy: recommendation.name });
    return t(`feedback.${outcome}`);
  };
  openSheet(() => html`<${FeedbackForm} recommendation=${recommendation} draft=${draft} deliver=${deliver} />`);
}

/**
 * `deliver()` sends the draft, and resolves to what may be said of it; `words` may name it otherwise than a first report.
 * What fails is shown.
 */
export function FeedbackForm({ recommendation, draft, deliver, onSent, words = {} }) {
  const errors = useSignal({});
  const failure = useSignal(null);
  const isSending = useSignal(false);
  const refusals = useSignal(0);
  useEffect(() => void (refusals.value && leadToMistake()), [refusals.value]);

  /** Changes a part of the draft; what was wrong with it is no longer said. */
  const change = (part, field = Object.keys(part)[0]) => {
    draft.value = { ...draft.value, ...part };
    errors.value = { ...errors.value, [field]: undefined };
  };
  const refuse = (found) => {
    errors.value = found;
    refusals.value += 1;
  };
  const send = async () => {
    failure.value = null;
    isSending.value = true;
    holdSheet(true);
    try {
      const said = await deliver();
      closeSheet();
      announce(said);
      onSent?.();
    } catch (error) {
      failure.value = error;
      refuse(Object.fromEntries(Object.entries(error.fields ?? {}).map(([field, given]) => [field, fieldMessage(given)])));
    }
    isSending.value = false;
    holdSheet(false);
  };
  const submit = (event) => {
    event.preventDefault();
    if (isSending.value) return;
    const found = mistakes(draft.value);
    if (Object.keys(found).length || isTooLong(draft.value.comment)) refuse(found);
    else send();
  };

  const scale = (field, key, options = {}) => html`<${Scale}
    name=${field}
    label=${t(`feedback.${key}`)}
    words=${`feedback.${key}`}
    value=${draft.value[field]}
    error=${errors.value[field]}
    onChange=${(value) => change({ [field]: value })}
    ...${options}
  />`;
  return html`
    <form class="sheet-page" novalidate onSubmit=${submit}>
      <${SheetHeader} title=${words.title ?? t("feedback.title")} about=${t("feedback.about", { remedy: recommendation.name })} />
      <div class="sheet-body">
        ${scale("rating", "rating", { faces: true })}
        ${scale("symptom_improvement", "improvement")}
        ${scale("compliance", "compliance", { onClear: () => change({ compliance: null }) })}
        <${SideEffects} effects=${draft.value.effects} errors=${errors.value} onChange=${(effects, slug) => change({ effects }, slug)} />
        <${Comment} value=${draft.value.comment} error=${errors.value.comment} onChange=${(comment) => change({ comment })} />
      </div>
      <footer>
        ${failure.value && html`<${WhatFailed} failure=${failure.value} />`}
        <button class="primary" id="sheet-send" disabled=${isSending.value}>${isSending.value ? t("feedback.sending") : (words.submit ?? t("feedback.submit"))}</button>
      </footer>
    </form>
  `;
}

function WhatFailed({ failure }) {
  const isSaidThere = SAID.some((field) => failure.fields?.[field]);
  return html`<div class="notice bad" role="alert">${isSaidThere ? t("feedback.check") : explain(failure)}</div>`;
}

function mistakes({ rating, symptom_improvement, effects }) {
  const unchosen = Object.entries({ rating, symptom_improvement }).filter(([, value]) => !value);
  const unmeasured = [...effects].filter(([, severity]) => !severity);
  return Object.fromEntries([...unchosen, ...unmeasured].map(([field]) => [field, t("feedback.choose")]));
}
