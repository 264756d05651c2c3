// The service worker: opens the page without a network, and shows the clinic's messages. `SHELL` stands in front of it
// when it is served: `version`, and `files`, the addresses the page is made of. Answers of the API never come by here.

const CACHE = `shell-${SHELL.version}`;
const PAGE = "/";
const FILES = new Set(SHELL.files);

self.addEventListener("install", (event) => event.waitUntil(fill()));
self.addEventListener("activate", (event) => event.waitUntil(replaceOlder()));
self.addEventListener("fetch", (event) => {
  const address = addressInShell(event.request);
  if (address) event.respondWith(fromShell(address, event.request));
});
// Not before the person says so: another version must not take the page away from under their fingers.
self.addEventListener("message", ({ data }) => data === "replace" && self.skipWaiting());
self.addEventListener("push", (event) => event.waitUntil(show(event.data?.json() ?? {})));
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(subscribeAgain(event)));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(bringForward());
});

async function fill() {
  const cache = await caches.open(CACHE);
  await cache.addAll([new Request(PAGE, { cache: "reload" }), ...FILES]);
}

async function replaceOlder() {
  const older = (await caches.keys()).filter((name) => name.startsWith("shell-") && name !== CACHE);
  await Promise.all(older.map((name) => caches.delete(name)));
  await self.clients.claim();
}

function addressInShell({ method, mode, url }) {
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== self.location.origin) return null;
  if (mode === "navigate") return pathname === PAGE ? PAGE : null;
  return FILES.has(pathname) ? pathname : null;
}

/** All from the same version, also where the network is there: a new one comes as a whole, with its own worker. */
async function fromShell(address, request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(address, { ignoreVary: true })) ?? fetch(request);
}

/** The message never says what is new; a later one takes the place of the one before. */
function show({ title = "Avicenna", body = "" }) {
  return self.registration.showNotification(title, { body, tag: "news", renotify: true, dir: "auto", icon: SHELL.icon });
}

async function bringForward() {
  const [open] = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  return open ? open.focus() : self.clients.openWindow(PAGE);
}

/** The browser has dropped the address that the clinic knows: the page, which is signed in, tells it the new one. */
async function subscribeAgain({ oldSubscription, newSubscription }) {
  if (!(await areMessagesWanted())) return newSubscription?.unsubscribe();
  const applicationServerKey = oldSubscription?.options.applicationServerKey;
  if (!newSubscription && applicationServerKey) {
    await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
  }
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  pages.forEach((page) => page.postMessage("another address"));
}

/** The vault (vault.js) holds a value of this name as long as somebody is signed in who wants them. */
function areMessagesWanted() {
  return new Promise((resolve) => {
    const opening = indexedDB.open("avicenna");
    opening.onupgradeneeded = () => opening.transaction.abort(); // there is no vault yet
    opening.onerror = () => resolve(false);
    opening.onsuccess = () => {
      const asked = opening.result.transaction("values").objectStore("values").getKey("push");
      asked.onsuccess = () => resolve(asked.result !== undefined);
      asked.onerror = () => resolve(false);
      opening.result.close();
    };
  });
}
