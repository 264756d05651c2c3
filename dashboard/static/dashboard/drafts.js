// What was typed into the feedback forms and not yet sent. It lies on the device, too: an app may be killed at any time.

import { effect, signal } from "./ui.js";
import { keep, recall } from "./vault.js";

const PAUSE_MS = 300;
const TYPED = ["rating", "symptom_improvement", "compliance", "comment"];

const drafts = new Map(); // recommendation → {draft, stop}
let timer;

/** A signal with the draft for a recommendation. Its `clientId` stays until the report is received: sending twice is sending once. */
export function draftFor(recommendationId) {
  return drafts.get(recommendationId)?.draft ?? add(emptyDraft(recommendationId));
}

/** Takes the place of what was typed for the same recommendation. */
export function restoreDraft(draft) {
  dropDraft(draft.recommendationId);
  return add(draft);
}

export function dropDraft(recommendationId) {
  if (!drafts.has(recommendationId)) return;
  drafts.get(recommendationId).stop();
  drafts.delete(recommendationId);
  keepSoon();
}

export async function restoreDrafts() {
  for (const { effects, ...draft } of (await recall("drafts")) ?? []) restoreDraft({ ...draft, effects: new Map(effects) });
}

/** In this page; what the device has kept is forgotten by whoever asks for it. */
export function forgetDrafts() {
  clearTimeout(timer);
  for (const { stop } of drafts.values()) stop();
  drafts.clear();
}

/** As the server takes it. */
export function reportOf({ rating, symptom_improvement, compliance, effects, comment }) {
  const side_effects = [...effects].map(([effect, severity]) => ({ effect, severity }));
  return { rating, symptom_improvement, compliance, comment, side_effects };
}

function emptyDraft(recommendationId) {
  return {
    recommendationId,
    clientId: identifier(),
    rating: null,
    symptom_improvement: null,
    compliance: null,
    effects: new Map(), // slug → severity, null until chosen
    comment: "",
  };
}

function add(values) {
  const draft = signal(values);
  const stop = effect(() => draft.value && keepSoon());
  drafts.set(values.recommendationId, { draft, stop });
  return draft;
}

function keepSoon() {
  clearTimeout(timer);
  timer = setTimeout(keepNow, PAUSE_MS);
}

function keepNow() {
  clearTimeout(timer);
  timer = undefined;
  const begun = [...drafts.values()].map(({ draft }) => draft.peek()).filter(isBegun);
  keep("drafts", begun.map(({ effects, ...draft }) => ({ ...draft, effects: [...effects] })));
}

const isBegun = (draft) => draft.effects.size > 0 || TYPED.some((field) => draft[field]);

/** crypto.randomUUID exists only on secure pages; a clinic's test server in its own network may not be one. */
function identifier() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

// The last moment at which a page may still do something before it is killed.
addEventListener("pagehide", () => timer && keepNow());
document.addEventListener("visibilitychange", () => timer && document.visibilityState === "hidden" && keepNow());
