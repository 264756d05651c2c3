// The app on the device: the worker that opens it without a network, its next version, the place on the home screen.

import { signal } from "./ui.js";
import { stay } from "./vault.js";

const BETWEEN_LOOKS_MS = 60 * 60_000;

/** Whether another version is here and waits for `takeNewVersion()`. */
export const hasNewVersion = signal(false);
/** "here" (it runs installed) · "offered" (`install()` asks) · "by_hand" (iOS: only through its menu) · "unknown". */
export const installation = signal(initialInstallation());

let registration = null;
let question = null; // the browser's, which it lets us ask once

/** Resolves to the registration, or to null where the page is not served securely or the browser has no workers. */
export async function startWorker() {
  if (!navigator.serviceWorker) return null;
  registration = await navigator.serviceWorker.register("/sw.js").catch(() => null);
  if (!registration) return null;
  look(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const arriving = registration.installing;
    arriving?.addEventListener("statechange", () => look(registration.waiting));
  });
  lookNowAndThen();
  return registration;
}

/** Nothing typed is lost: drafts lie on the device. */
export function takeNewVersion() {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  registration.waiting?.postMessage("replace");
}

export async function install() {
  question?.prompt();
  const { outcome } = (await question?.userChoice) ?? {};
  question = null; // it can be asked once
  installation.value = outcome === "accepted" ? "here" : "unknown";
}

/** The very first worker replaces nothing. */
function look(waiting) {
  if (waiting && navigator.serviceWorker.controller) hasNewVersion.value = true;
}

function lookNowAndThen() {
  let lookedAt = Date.now();
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible" || Date.now() - lookedAt < BETWEEN_LOOKS_MS) return;
    lookedAt = Date.now();
    registration.update().catch(() => {}); // without a network there is nothing newer
  });
}

function initialInstallation() {
  if (matchMedia("(display-mode: standalone)").matches || navigator.standalone) return "here";
  return "standalone" in navigator ? "by_hand" : "unknown"; // Safari on iOS alone has it
}

addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault(); // asked in the profile, not over what one reads
  question = event;
  installation.value = "offered";
});
addEventListener("appinstalled", () => {
  installation.value = "here";
  stay();
});
