// Who is signed in, and why not.

import * as api from "./api.js";
import { forgetDrafts, restoreDrafts } from "./drafts.js";
import { forgetForms, restoreForms } from "./forms.js";
import { prepareFormats } from "./i18n.js";
import { forgetOutbox, restoreOutbox, sendWhatWaits } from "./outbox.js";
import { chooseLanguage, takeLanguageOfAccount } from "./preferences.js";
import { forgetSubscription, tellNewAddress } from "./push.js";
import { signal } from "./ui.js";
import { forget, keep, onWiped, recall, reopen, wipe } from "./vault.js";

/** The person, null when nobody is signed in, undefined while that is being found out. */
export const me = signal(undefined);
/** Why the person could not be asked for; `start()` tries again. */
export const failure = signal(null);
/** The key of a text that says why one is at the door. */
export const notice = signal("");

// Values of the vault that outlive the end of a session: whose device it is, and what that person typed.
const isTyped = (name) => name === "owner" || name === "outbox" || name.startsWith("drafts of ");

// How often somebody has left: what is answered afterwards is nobody's and must not be kept again.
let departures = 0;

/** Whoever was here last is met at once, also without a network; the server may say otherwise. */
export async function start() {
  failure.value = null;
  reopen();
  if (!(await api.restore())) return leave("");
  prepareFormats();
  const known = await recall("me");
  if (known) await welcome(known);
  try {
    await meet();
  } catch (error) {
    if (error.status !== 401 && !me.peek()) failure.value = error;
  }
}

/** Throws ApiError. `keepsLanguage`: a demonstration sign-in keeps the language the visitor reads. */
export async function enter({ email, password, code, keepsLanguage = false }) {
  reopen();
  await api.signIn(email, password, code);
  await meet({ keepsLanguage });
}

/** Signs up and in. Throws ApiError. */
export async function join(person) {
  await api.register(person);
  await enter(person);
}

export async function signOut({ everywhere = false } = {}) {
  departures += 1;
  const told = await api.signOut({ everywhere });
  await clearDevice();
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
  const before = departures;
  const person = await api.get("/api/me");
  if (departures !== before) return;
  await claimDevice(person.id);
  if (departures !== before) return;
  await Promise.all([keep("owner", person.id), keep("me", person)]);
  await welcome(person, { keepsLanguage });
  sendWhatWaits();
  tellNewAddress();
}

async function welcome(person, { keepsLanguage = false } = {}) {
  if (me.peek()?.id !== person.id) await Promise.all([restoreDrafts(), restoreForms(), restoreOutbox()]);
  if (!keepsLanguage) takeLanguageOfAccount(person.language);
  notice.value = "";
  me.value = person;
}

/** What another person has left here is wiped before anything is shown. */
async function claimDevice(id) {
  const owner = await recall("owner");
  if (owner === null || owner === id) return;
  await clearDevice();
  reopen();
  await api.keepSession();
}

async function clearDevice() {
  forgetWhatWasTyped();
  await Promise.all([wipe(), forgetSubscription()]);
}

/** In this page. */
function forgetWhatWasTyped() {
  forgetDrafts();
  forgetForms();
  forgetOutbox();
}

function leave(why) {
  departures += 1;
  notice.value = why;
  me.value = null;
}

/** What can be asked for again goes; what was typed waits, sealed, for the same person. */
api.onSessionEnd((code) => {
  forgetWhatWasTyped();
  forget((name) => !isTyped(name));
  forgetSubscription();
  leave(code === "session_reused" ? "error.session_reused" : "error.not_authenticated");
});

onWiped(() => {
  api.forgetSession();
  forgetWhatWasTyped();
  leave("signin.signed_out");
});
