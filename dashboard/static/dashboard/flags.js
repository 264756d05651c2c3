// How many reports of a severe side effect nobody of the clinic has looked at yet. There is no stream for all patients of
// a practitioner: it is counted again each minute, when the page comes back to sight, and when a stream tells of one.

import { get } from "./api.js";
import { me } from "./session.js";
import { effect, signal } from "./ui.js";

const EVERY_MS = 60_000;

export const openFlags = signal(0);
const isClinic = () => ["practitioner", "head"].includes(me.peek()?.role);

export async function countFlags() {
  if (!isClinic() || document.visibilityState !== "visible") return;
  const asked = await get("/api/severe-side-effects/?open=true&page_size=1").catch(() => null); // the next minute tells
  if (asked && isClinic()) openFlags.value = asked.count;
}

let timer;
effect(() => {
  clearInterval(timer);
  openFlags.value = 0;
  if (!me.value || !isClinic()) return;
  countFlags();
  timer = setInterval(countFlags, EVERY_MS);
});
document.addEventListener("visibilitychange", countFlags);
