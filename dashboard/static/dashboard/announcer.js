// Tells screen readers what arrived: politely, one sentence at a time, the newest when several come at once.

import { el } from "./dom.js";

const PAUSE_MS = 800;
let timer;

export const announcer = el("p", { class: "unseen", role: "status", "aria-live": "polite" });

export function announce(sentence) {
  clearTimeout(timer);
  timer = setTimeout(() => (announcer.textContent = sentence), PAUSE_MS);
}
