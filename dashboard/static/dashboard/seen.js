// What a patient saw last, kept sealed on the device. Nothing of a clinic's patients stays on a practitioner's.

import { me } from "./session.js";
import { keep, recall } from "./vault.js";

const PREFIX = "seen ";

export async function remember(name, data) {
  if (me.peek()?.role === "patient") await keep(PREFIX + name, { at: Date.now(), data });
}

/** `{at, data}`, or null. */
export async function lastSeen(name) {
  const kept = await recall(PREFIX + name);
  return kept && { at: new Date(kept.at), data: kept.data };
}
