// Reports on their way. Each lies on the device until the server has answered, and is sent again with the same
// `client_id` until then: however often it arrives, it counts once. What the server refuses stays, with the reason.

import { alone } from "./alone.js";
import { isTemporary, lostAt, patch, request } from "./api.js";
import { dropDraft, reportOf, restoreDraft } from "./drafts.js";
import { batch, effect, signal } from "./ui.js";
import { keep, recall, stay } from "./vault.js";

const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [3_000, 60_000];

/** Oldest first: `{clientId, recommendationId, remedy, report, at, hasWaited, refusal}`; `refusal` is null while it waits. */
export const outbox = signal([]);
/** The `clientId` of the one that is being sent, or null. */
export const sending = signal(null);
/** What has arrived since the page was opened: recommendation → `{clientId, remedy, at, hadToWait}`. */
export const received = signal(new Map());

const others = globalThis.BroadcastChannel && new BroadcastChannel("avicenna.outbox");
let failures = 0;
let timer;

/**
 * Puts the draft's report into the box and tries to send it. Resolves to "received" or "waiting". Throws the refusal
 * of the server, which reads like an ApiError: then the draft is as it was.
 */
export async function send({ draft, remedy }) {
  const { clientId, recommendationId } = draft.value;
  const report = reportOf(draft.value);
  const item = { clientId, recommendationId, remedy, report, at: Date.now(), hasWaited: false, refusal: null };
  await change((items) => [...items.filter((other) => other.clientId !== clientId), item]);
  await sendAll();
  const refusal = find(clientId)?.refusal;
  if (refusal) {
    await throwAway(clientId);
    throw refusal;
  }
  dropDraft(recommendationId);
  if (received.peek().get(recommendationId)?.clientId === clientId) return "received";
  stay();
  return "waiting";
}

/** Tries all that wait, one after the other, in one tab at a time. */
export function sendAll() {
  clearTimeout(timer);
  return alone("sending", async () => {
    await restoreOutbox(); // another tab may have sent some
    let failed = null;
    for (const { clientId } of outbox.peek().filter(({ refusal }) => !refusal)) {
      failed = (await attempt(clientId)) ?? failed;
      if (failed?.code === "network" || failed?.status === 429 || failed?.status === 401) break;
    }
    sending.value = null;
    failures = failed ? failures + 1 : 0;
    if (failed && failed.status !== 401) tryLater(failed);
  });
}

/** Out of the box and back into the form, as a draft. */
export async function takeBack(clientId) {
  const { recommendationId, report } = find(clientId);
  const { side_effects, ...typed } = report;
  const effects = new Map(side_effects.map(({ effect: slug, severity }) => [slug, severity]));
  restoreDraft({ recommendationId, clientId, ...typed, effects });
  await throwAway(clientId);
}

export const throwAway = (clientId) => change((items) => items.filter((item) => item.clientId !== clientId));

export async function restoreOutbox() {
  outbox.value = (await recall("outbox")) ?? [];
}

/** In this page; what the device has kept is forgotten by whoever asks for it. */
export function forgetOutbox() {
  clearTimeout(timer);
  batch(() => {
    outbox.value = [];
    received.value = new Map();
  });
}

/** The failure when it is to be tried again, else null. */
async function attempt(clientId) {
  const item = find(clientId);
  if (!item) return null; // taken back meanwhile
  sending.value = clientId;
  try {
    await deliver(item);
  } catch (error) {
    const { code, message, status, fields } = error;
    const mayGoWell = isTemporary(error) || status === 401;
    await amend(clientId, mayGoWell ? { hasWaited: true } : { refusal: { code, message, status, fields } });
    return mayGoWell ? error : null;
  }
  await throwAway(clientId);
  const arrival = { clientId, remedy: item.remedy, at: new Date(), hadToWait: item.hasWaited };
  received.value = new Map([...received.value, [item.recommendationId, arrival]]);
  return null;
}

async function deliver({ clientId, recommendationId, report }) {
  const body = { ...report, recommendation: recommendationId, client_id: clientId };
  const { status, data } = await request("POST", "/api/feedback/", body);
  // 200: an earlier request had arrived after all. If the person has changed something since, so must the report.
  if (status === 200 && !isAsSaid(data, report)) await patch(`/api/feedback/${data.id}/`, report);
}

function isAsSaid(stored, report) {
  const effects = ({ side_effects }) => side_effects.map(({ effect: slug, severity }) => `${slug} ${severity}`).sort().join();
  const figures = ["rating", "symptom_improvement", "compliance"];
  const isSame = figures.every((field) => stored[field] === report[field]) && effects(stored) === effects(report);
  return isSame && stored.comment === report.comment.trim();
}

function tryLater({ retryAfter }) {
  const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1));
  timer = setTimeout(sendAll, Math.max(wait, (retryAfter ?? 0) * 1000));
}

const find = (clientId) => outbox.peek().find((item) => item.clientId === clientId);

const amend = (clientId, values) =>
  change((items) => items.map((item) => (item.clientId === clientId ? { ...item, ...values } : item)));

/** Upon what the device holds now, which another tab may have changed. */
const change = (how) =>
  alone("outbox", async () => {
    const items = how((await recall("outbox")) ?? []);
    await keep("outbox", items);
    outbox.value = items;
    others?.postMessage("changed");
  });

/** For every moment at which it may go well now. */
export const sendWhatWaits = () => outbox.peek().some(({ refusal }) => !refusal) && sendAll();

others?.addEventListener("message", restoreOutbox);
addEventListener("online", sendWhatWaits);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && sendWhatWaits());
effect(() => void (lostAt.value === null && sendWhatWaits())); // the server has answered something
