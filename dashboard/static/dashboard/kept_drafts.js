// What is being typed and has not arrived. It lies on the device, too: an app may be killed at any time.

import { effect, signal } from "./ui.js";
import { keep, recall } from "./vault.js";

const PAUSE_MS = 300;

/** The drafts of one kind of form, each a signal under a name. Only those that `isBegun` says yes to are kept. */
export class KeptDrafts {
  #kind;
  #isBegun;
  #pack;
  #unpack;
  #drafts = new Map(); // name → {draft, stop}
  #timer;

  /** `pack` and `unpack` turn a draft into what JSON can say and back. */
  constructor(kind, { isBegun, pack = (draft) => draft, unpack = (kept) => kept }) {
    [this.#kind, this.#isBegun, this.#pack, this.#unpack] = [kind, isBegun, pack, unpack];
    // The last moment at which a page may still do something before it is killed.
    addEventListener("pagehide", () => this.#timer && this.#keepNow());
    document.addEventListener("visibilitychange", () => this.#timer && document.visibilityState === "hidden" && this.#keepNow());
  }

  /** The signal with the draft; what `empty()` gives when there is none. */
  find(name, empty) {
    return this.#drafts.get(name)?.draft ?? this.put(name, empty());
  }

  /** Takes the place of what was typed under the same name. */
  put(name, values) {
    this.drop(name);
    const draft = signal(values);
    const stop = effect(() => draft.value && this.#keepSoon());
    this.#drafts.set(name, { draft, stop });
    return draft;
  }

  drop(name) {
    if (!this.#drafts.has(name)) return;
    this.#drafts.get(name).stop();
    this.#drafts.delete(name);
    this.#keepSoon();
  }

  async restore() {
    for (const [name, kept] of (await recall(this.#kind)) ?? []) this.put(name, this.#unpack(kept));
  }

  /** In this page; what the device has kept is forgotten by whoever asks for it. */
  forget() {
    clearTimeout(this.#timer);
    for (const { stop } of this.#drafts.values()) stop();
    this.#drafts.clear();
  }

  #keepSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#keepNow(), PAUSE_MS);
  }

  #keepNow() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const begun = [...this.#drafts].map(([name, { draft }]) => [name, draft.peek()]).filter(([, draft]) => this.#isBegun(draft));
    keep(this.#kind, begun.map(([name, draft]) => [name, this.#pack(draft)]));
  }
}
