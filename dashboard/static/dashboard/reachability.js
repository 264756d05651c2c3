// While the server cannot be reached it is asked whether it is back: not every screen has a stream that would notice.

import { isThere, lostAt } from "./api.js";
import { effect } from "./ui.js";

const FIRST_MS = 2_000;
const LONGEST_MS = 60_000;

let timer;
let wait = FIRST_MS;

/** Not while nobody looks. Everybody loses a server at the same moment, so that chance spreads who asks when. */
function askLater() {
  clearTimeout(timer);
  timer = setTimeout(askNow, wait * (0.5 + Math.random() / 2));
  wait = Math.min(2 * wait, LONGEST_MS);
}

async function askNow() {
  clearTimeout(timer);
  if (lostAt.peek() === null || document.visibilityState === "hidden") return;
  if (!(await isThere())) askLater();
}

effect(() => {
  clearTimeout(timer);
  wait = FIRST_MS;
  if (lostAt.value !== null) askLater();
});
addEventListener("online", askNow);
document.addEventListener("visibilitychange", askNow);
