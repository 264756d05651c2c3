// What was typed into the feedback forms and not yet sent.

import { identifier } from "./identifier.js";
import { KeptDrafts } from "./kept_drafts.js";

const TYPED = ["rating", "symptom_improvement", "compliance", "comment"];

const drafts = new KeptDrafts("drafts of reports", {
  isBegun: (draft) => draft.effects.size > 0 || TYPED.some((field) => draft[field]),
  pack: ({ effects, ...draft }) => ({ ...draft, effects: [...effects] }),
  unpack: ({ effects, ...draft }) => ({ ...draft, effects: new Map(effects) }),
});

/** A signal with the draft for a recommendation. Its `clientId` stays until the report is received: sending twice is sending once. */
export const draftFor = (recommendationId) => drafts.find(recommendationId, () => emptyDraft(recommendationId));

/** Takes the place of what was typed for the same recommendation. */
export const restoreDraft = (draft) => drafts.put(draft.recommendationId, draft);

export const dropDraft = (recommendationId) => drafts.drop(recommendationId);
export const restoreDrafts = () => drafts.restore();
export const forgetDrafts = () => drafts.forget();

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
