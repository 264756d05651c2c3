// What is being typed and has not arrived. It lies on the device, too: an app may be killed at any time.

import { effect, signal } from "./ui.js";
import { keep, recall } from "./vault.js";

/** The drafts of one kind of form, each a signal under a name. Only those that `isBegun` says yes to are kept. */
export class KeptDrafts {
  #kind;
  #isBegun;
  #pack;
  #unpack;
  #drafts = new Map(); // name → {draft, stop}
  #isChanged = false; // since it was kept
  #isKeeping = false;

  /** `pack` and `unpack` turn a draft into what JSON can say and back. */
  constructor(kind, { isBegun, pack = (draft) => draft, unpack = (kept) => kept }) {
    [this.#kind, this.#isBegun, this.#pack, this.#unpack] = [kind, isBegun, pack, unpack];
  }

  /** The signal with the draft; what `empty()` gives when there is none. */
  find(name, empty) {
    return this.#drafts.get(name)?.draft ?? this.put(name, empty());
  }

  /** Takes the place of what was typed under the same name. */
  put(name, values) {
    this.drop(name);
    const draft = signal(values);
    const stop = effect(() => draft.value && this.#keep());
    this.#drafts.set(name, { draft, stop });
    return draft;
  }

  drop(name) {
    if (!this.#drafts.has(name)) return;
    this.#drafts.get(name).stop();
    this.#drafts.delete(name);
    this.#keep();
  }

  async restore() {
    for (const [name, kept] of (await recall(this.#kind)) ?? []) this.put(name, this.#unpack(kept));
  }

  /** In this page; what the device has kept is forgotten by whoever asks for it. */
  forget() {
    this.#isChanged = false;
    for (const { stop } of this.#drafts.values()) stop();
    this.#drafts.clear();
  }

  /** At once, and again when something changed meanwhile: a page that is killed has no time left to seal anything. */
  async #keep() {
    this.#isChanged = true;
    if (this.#isKeeping) return;
    this.#isKeeping = true;
    await null; // what is done in one go is kept once
    while (this.#isChanged) {
      this.#isChanged = false;
      const begun = [...this.#drafts].map(([name, { draft }]) => [name, draft.peek()]).filter(([, draft]) => this.#isBegun(draft));
      await keep(this.#kind, begun.map(([name, draft]) => [name, this.#pack(draft)]));
    }
    this.#isKeeping = false;
  }
}
