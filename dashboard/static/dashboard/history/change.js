import { patch } from "../api.js";
import { reportOf } from "../drafts.js";
import { t } from "../i18n.js";
import { FeedbackForm } from "../parts/feedback.js";
import { openSheet } from "../parts/sheet.js";
import { html, signal } from "../ui.js";

/** Opens the sheet with what was reported; `onDone` runs when the server has the change. */
export function openChange({ report, onDone }) {
  const { rating, symptom_improvement, compliance, comment, side_effects } = report;
  const effects = new Map(side_effects.map(({ effect, severity }) => [effect, severity]));
  const draft = signal({ rating, symptom_improvement, compliance, comment, effects });
  const words = { title: t("reports.change_title"), submit: t("reports.change_submit") };
  const recommendation = { id: report.recommendation, name: report.remedy_name };
  const deliver = async () => {
    await patch(`/api/feedback/${report.id}/`, reportOf(draft.value));
    return t("feedback.received");
  };
  openSheet(() => html`<${FeedbackForm} recommendation=${recommendation} draft=${draft} deliver=${deliver} words=${words} onSent=${onDone} />`);
}
