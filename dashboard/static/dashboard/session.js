// Who is signed in, and why not.

import * as api from "./api.js";
import { forgetDrafts } from "./drafts.js";
import { chooseLanguage, takeLanguageOfAccount } from "./preferences.js";
import { signal } from "./ui.js";

/** The person, null when nobody is signed in, undefined while that is being found out. */
export const me = signal(undefined);
/** Why the person could not be asked for; `start()` tries again. */
export const failure = signal(null);
/** The key of a text that says why one is at the door. */
export const notice = signal("");

let lastUser = null;

export async function start() {
  failure.value = null;
  if (!api.isSignedIn()) return leave("");
  try {
    await meet();
  } catch (error) {
    if (error.status !== 401) failure.value = error;
  }
}

/** Throws ApiError. `keepsLanguage`: a demonstration sign-in keeps the language the visitor reads. */
export async function enter({ email, password, keepsLanguage = false }) {
  await api.signIn(email, password);
  await meet({ keepsLanguage });
}

/** Signs up and in. Throws ApiError. */
export async function join({ full_name, email, password }) {
  await api.register({ full_name, email, password });
  await enter({ email, password });
}

export async function signOut({ everywhere = false } = {}) {
  const told = await api.signOut({ everywhere });
  forgetDrafts();
  history.replaceState(null, "", "#/");
  dispatchEvent(new HashChangeEvent("hashchange")); // replaceState tells nobody
  leave(!told ? "signin.signed_out_here" : everywhere ? "signin.signed_out_everywhere" : "signin.signed_out");
}

/** For this device and, when signed in, for the account. */
export function changeLanguage(code) {
  chooseLanguage(code);
  if (me.value) api.patch("/api/me", { language: code }).catch(() => {}); // the page has switched either way
}

async function meet({ keepsLanguage = false } = {}) {
  const person = await api.get("/api/me");
  if (lastUser !== null && lastUser !== person.id) forgetDrafts();
  lastUser = person.id;
  if (!keepsLanguage) takeLanguageOfAccount(person.language);
  notice.value = "";
  me.value = person;
}

function leave(why) {
  notice.value = why;
  me.value = null;
}

api.onSessionEnd(() => leave("error.not_authenticated"));
