// What was typed into the feedback forms and not yet received, for as long as the page is open.

import { patch, request } from "./api.js";
import { signal } from "./ui.js";

const drafts = new Map();

/** A signal with the draft for a recommendation. Its `clientId` stays until the server has answered: sending twice is sending once. */
export function draftFor(recommendationId) {
  if (!drafts.has(recommendationId)) drafts.set(recommendationId, signal(emptyDraft(recommendationId)));
  return drafts.get(recommendationId);
}

export const forgetDrafts = () => drafts.clear();

function emptyDraft(recommendationId) {
  return {
    recommendationId,
    clientId: identifier(),
    rating: null,
    symptom_improvement: null,
    compliance: null,
    effects: new Map(), // slug → severity, null until chosen
    comment: "",
    firstSent: undefined, // what a request without an answer may have stored
  };
}

/** Throws ApiError; the draft is kept then. */
export async function sendDraft(draft) {
  const report = reportOf(draft.value);
  const text = JSON.stringify(report);
  const { recommendationId, clientId, firstSent = text } = draft.value;
  draft.value = { ...draft.value, firstSent };
  try {
    const body = { ...report, recommendation: recommendationId, client_id: clientId };
    const { status, data } = await request("POST", "/api/feedback/", body);
    // 200: an earlier request had arrived after all. If the person has changed something since, so must the report.
    if (status === 200 && firstSent !== text) await patch(`/api/feedback/${data.id}/`, report);
  } catch (error) {
    const wasRefused = error.status >= 400 && error.status < 500;
    if (wasRefused) draft.value = { ...draft.value, firstSent: undefined };
    throw error;
  }
  drafts.delete(recommendationId);
}

function reportOf({ rating, symptom_improvement, compliance, effects, comment }) {
  const side_effects = [...effects].map(([effect, severity]) => ({ effect, severity }));
  return { rating, symptom_improvement, compliance, comment, side_effects };
}

/** crypto.randomUUID exists only on secure pages; a clinic's test server in its own network may not be one. */
function identifier() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
