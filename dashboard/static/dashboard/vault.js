// What stays on the device, each value sealed with AES-GCM under a key that no script can read out. A wipe takes the key,
// too: what the disk may still hold of the values is noise then. Where a page is not served securely there is no
// WebCrypto, and nothing outlives the page.

const DATABASE = "avicenna";
const [KEYS, VALUES] = ["keys", "values"];
const NONCE_BYTES = 12;

const canSeal = Boolean(globalThis.crypto?.subtle && globalThis.indexedDB);
const others = globalThis.BroadcastChannel && new BroadcastChannel("avicenna.vault");
const unsealed = new Map(); // name → JSON, where nothing can be sealed
let opened = null;
let key = null;
let wipes = 0;
let isClosed = false; // since a wipe: what is answered afterwards was asked by somebody who has left

/** Called when another tab has wiped the device. */
export function onWiped(callback) {
  others?.addEventListener("message", () => {
    forgetHere();
    callback();
  });
}

/** Whoever signs in opens it again after a wipe. */
export const reopen = () => void (isClosed = false);

/** `value` is anything that JSON can say. Resolves when it is on the disk; a full or refused disk is no failure. */
export async function keep(name, value) {
  if (isClosed) return;
  const text = JSON.stringify(value);
  if (!canSeal) return void unsealed.set(name, text);
  const before = wipes;
  try {
    const sealed = await seal(name, text, await keyFor(true));
    const database = await open();
    if (before !== wipes) return;
    await done(database.transaction(VALUES, "readwrite").objectStore(VALUES).put(sealed, name));
    unsealed.delete(name);
  } catch {
    unsealed.set(name, text); // for as long as the page is open
  }
}

/** The value, or null when there is none or it cannot be opened. */
export async function recall(name) {
  if (unsealed.has(name)) return JSON.parse(unsealed.get(name));
  if (!canSeal) return null;
  try {
    const sealed = await done((await open()).transaction(VALUES).objectStore(VALUES).get(name));
    return sealed ? JSON.parse(await unseal(name, sealed, await keyFor(false))) : null;
  } catch {
    return null;
  }
}

/** Forgets every value whose name fits. */
export async function forget(fits) {
  for (const name of [...unsealed.keys()].filter(fits)) unsealed.delete(name);
  if (!canSeal) return;
  const database = await open().catch(() => null); // then there is nothing
  if (!database) return;
  const store = database.transaction(VALUES, "readwrite").objectStore(VALUES);
  const names = (await done(store.getAllKeys())).filter(fits);
  await Promise.all(names.map((name) => done(store.delete(name))));
}

/** Asks the browser, which may ask the person, not to clear it all when space runs short: when there is something to lose. */
export const stay = () => void navigator.storage?.persist?.().catch(() => {});

/** Nothing is left, here and in the other tabs. */
export async function wipe() {
  forgetHere();
  others?.postMessage("wiped");
  if (!canSeal) return;
  const database = await open().catch(() => null);
  if (!database) return;
  const transaction = database.transaction([KEYS, VALUES], "readwrite");
  await Promise.all([KEYS, VALUES].map((store) => done(transaction.objectStore(store).clear())));
}

function forgetHere() {
  wipes += 1;
  isClosed = true;
  key = null;
  unsealed.clear();
}

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => [KEYS, VALUES].forEach((store) => request.result.createObjectStore(store));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

/** The device's key; two tabs that make one at the same time agree on the first. */
async function keyFor(making) {
  if (key) return key;
  const before = wipes;
  const made = making && (await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]));
  const store = (await open()).transaction(KEYS, making ? "readwrite" : "readonly").objectStore(KEYS);
  const found = await done(store.get("key"));
  if (!found && made) await done(store.put(made, "key"));
  const usable = found ?? made;
  if (before === wipes) key = usable;
  return usable;
}

/** The name is sealed with it: a value moved to another name does not open. */
async function seal(name, text, under) {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  return { nonce, sealed: await crypto.subtle.encrypt(terms(name, nonce), under, new TextEncoder().encode(text)) };
}

async function unseal(name, { nonce, sealed }, under) {
  return new TextDecoder().decode(await crypto.subtle.decrypt(terms(name, nonce), under, sealed));
}

const terms = (name, nonce) => ({ name: "AES-GCM", iv: nonce, additionalData: new TextEncoder().encode(name) });

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
