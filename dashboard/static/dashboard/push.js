// Messages of the clinic to this device, which say that there is something new and never what.

import { del, get, put } from "./api.js";
import { signal } from "./ui.js";
import { forget, keep, recall } from "./vault.js";

const TOLD = "push"; // the address that the clinic was told in this session

/** "unknown" (not asked yet, or impossible here: nothing is offered) · "off" · "on" · "blocked" (by the browser's settings). */
export const push = signal("unknown");

const isPossible = "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;
let publicKey = null;

/** Finds out how it stands, for who is signed in. Throws ApiError. */
export async function lookAtPush() {
  const worker = isPossible && (await navigator.serviceWorker.getRegistration());
  if (!worker) return;
  const { public_key, is_subscribed } = await get("/api/me/push");
  publicKey = public_key;
  if (!publicKey) return;
  const subscription = await worker.pushManager.getSubscription();
  push.value = Notification.permission === "denied" ? "blocked" : subscription && is_subscribed ? "on" : "off";
}

/** Asks the person for permission: only upon a touch. Throws ApiError, or DOMException when the browser's service refuses. */
export async function turnPushOn() {
  if ((await Notification.requestPermission()) !== "granted") {
    push.value = Notification.permission === "denied" ? "blocked" : "off";
    return;
  }
  const { pushManager } = await navigator.serviceWorker.ready;
  await (await pushManager.getSubscription())?.unsubscribe(); // it may be another clinic key's
  await tell(await subscribe(pushManager, publicKey));
  push.value = "on";
}

/** Throws ApiError. */
export async function turnPushOff() {
  await forgetSubscription();
  await del("/api/me/push");
  push.value = "off";
}

/** On this device, when somebody leaves; the server forgets it with the session. */
export async function forgetSubscription() {
  push.value = "unknown";
  await forget((name) => name === TOLD);
  const worker = isPossible && (await navigator.serviceWorker.getRegistration());
  await (await worker?.pushManager?.getSubscription())?.unsubscribe().catch(() => {});
}

/** Browsers drop the address that the clinic knows, or put another in its place. What fails is tried at the next start. */
export const tellNewAddress = () => tellIfNew().catch(() => {});

async function tellIfNew() {
  const told = isPossible && (await recall(TOLD));
  if (!told || Notification.permission !== "granted") return; // nobody here wants messages
  const { pushManager } = await navigator.serviceWorker.ready;
  const subscription = (await pushManager.getSubscription()) ?? (await subscribe(pushManager, (await get("/api/me/push")).public_key));
  if (subscription.endpoint !== told) await tell(subscription);
}

const subscribe = (pushManager, applicationServerKey) => pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });

/** The worker looks for the name to know whether messages are wanted. */
async function tell(subscription) {
  const { endpoint, keys } = subscription.toJSON();
  await put("/api/me/push", { endpoint, keys });
  await keep(TOLD, endpoint);
}

navigator.serviceWorker?.addEventListener("message", ({ data }) => data === "another address" && tellNewAddress());
