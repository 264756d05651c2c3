// Turns an event of the stream into a sentence.

import { effectName } from "./catalogue.js";
import { list, percent, t, word } from "./i18n.js";
import { language } from "./preferences.js";

const ICON = {
  diagnosis_update: "note",
  recommendation_update: "leaf",
  effectiveness_update: "gauge",
  feedback_update: "talk",
  severe_side_effect: "alert",
  reset: "check",
};

const TELL = {
  diagnosis_update: diagnosisSentence,
  recommendation_update: recommendationSentence,
  effectiveness_update: effectivenessSentence,
  feedback_update: feedbackSentence,
  severe_side_effect: severeSentence,
  reset: () => t("events.reset"),
};

// Fields of a diagnosis whose change has a sentence of its own.
const TOLD_ALONE = ["status", "severity", "contraindications"];

export const iconOf = (event) => ICON[event.type] ?? "note";

/** `recommendations` maps ids to what is known of them; an event of a type newer than this page still says something. */
export function sentence(event, recommendations) {
  return TELL[event.type]?.(event.data, recommendations) || t("event.unknown");
}

export function remedyName(recommendation) {
  if (!recommendation) return t("event.a_remedy");
  return language.value === "fa" ? recommendation.remedy_name_fa : recommendation.remedy_name_en;
}

/** Dosage, frequency and duration in one line. */
export function directions({ dosage, frequency, duration_days }) {
  const days = duration_days && t("recommendation.days", { count: duration_days });
  return [dosage, frequency, days].filter(Boolean);
}

function diagnosisSentence({ action, status, severity, changed_fields }) {
  if (action !== "changed") return t(`event.diagnosis.${action}`, { severity });
  const others = changed_fields.filter((field) => !TOLD_ALONE.includes(field));
  const told = [
    changed_fields.includes("status") && t(`event.diagnosis.${status}`),
    others.length > 0 && t("event.diagnosis.changed", { fields: fieldNames(others) }),
    changed_fields.includes("severity") && t("event.diagnosis.severity", { severity }),
    changed_fields.includes("contraindications") && t("event.diagnosis.contraindications"),
  ];
  return told.filter(Boolean).join(" ");
}

function recommendationSentence({ action, recommendation, previous, changed_fields, reason }) {
  const remedy = remedyName(recommendation);
  if (action === "added") {
    const details = directions(recommendation);
    return t(details.length ? "event.recommendation.added_details" : "event.recommendation.added", { remedy, details });
  }
  if (action === "stopped" && reason) return t("event.recommendation.stopped_reason", { remedy, reason });
  const values = { remedy, previous: remedyName(previous), fields: fieldNames(changed_fields) };
  return t(`event.recommendation.${action}`, values);
}

function effectivenessSentence(data, recommendations) {
  const [before, score] = [data.previous_score, data.effectiveness_score].map((value) => value !== null && percent(value));
  const direction = data.effectiveness_score > data.previous_score ? "rose" : "fell";
  const change = before === false ? "first" : before === score ? "same" : direction;
  const remedy = remedyName(recommendations.get(data.recommendation_id));
  return t(`event.effectiveness.${change}`, { remedy, before, score, count: data.sample_size });
}

function feedbackSentence(data, recommendations) {
  const remedy = remedyName(recommendations.get(data.recommendation_id));
  const values = { remedy, rating: data.rating, improvement: data.symptom_improvement };
  const told = t(`event.feedback.${data.action}`, values);
  if (!data.side_effects.length || data.action === "withdrawn") return told;
  return `${told} ${t("event.feedback.effects", { effects: list(data.side_effects.map(effectName)) })}`;
}

function severeSentence(data, recommendations) {
  const remedy = remedyName(recommendations.get(data.recommendation_id));
  return t(`event.severe.${data.action}`, { remedy, effects: list(data.side_effects.map(effectName)) });
}

const fieldNames = (fields) => list(fields.map((field) => word("field", field)));
