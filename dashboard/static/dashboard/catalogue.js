// The catalogue of side effects, asked for once a session.

import { get } from "./api.js";
import { language } from "./preferences.js";
import { keep, recall } from "./vault.js";

let asked = null;
const known = new Map();

/** All active side effects, in the order of their names. Throws ApiError; asking again tries again. */
export async function sideEffects() {
  asked ??= load();
  try {
    await asked;
  } catch (error) {
    asked = null;
    throw error;
  }
  return [...known.values()].filter((effect) => effect.is_active).sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
}

export const nameOf = (term) => (language.value === "fa" ? term.name_fa : term.name_en);
export const otherNameOf = (term) => (language.value === "fa" ? term.name_en : term.name_fa);

/** The name of a side effect if the catalogue is here, else its slug as words. */
export function effectName(slug) {
  const effect = known.get(slug);
  return effect ? nameOf(effect) : slug.replaceAll("-", " ");
}

/** Without a server, as it was here last. */
async function load() {
  try {
    await ask();
    keep("side effects", [...known.values()]);
  } catch (error) {
    const kept = await recall("side effects");
    if (!kept) throw error;
    for (const effect of kept) known.set(effect.slug, effect);
  }
}

async function ask() {
  for (let page = 1, more = true; more; page += 1) {
    const answer = await get(`/api/side-effects/?page_size=100&page=${page}`);
    for (const effect of answer.results) known.set(effect.slug, effect);
    more = answer.next !== null;
  }
}
