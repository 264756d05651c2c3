// Tells screen readers what arrived: politely, one sentence at a time, the newest when several come at once.

import { html, signal } from "../ui.js";

const PAUSE_MS = 800;
const sentence = signal("");
let timer;

export function announce(text) {
  clearTimeout(timer);
  timer = setTimeout(() => (sentence.value = text), PAUSE_MS);
}

export function Announcer() {
  return html`<p class="unseen" id="announcer" aria-live="polite">${sentence.value}</p>`;
}
