// How often the server is asked when much happens.

/** Lets a `few` go at once, then one in `every` milliseconds. */
export class Pace {
  #every;
  #slack;
  #due = 0;

  constructor(few, every) {
    this.#every = every;
    this.#slack = (few - 1) * every;
  }

  /** Milliseconds until the next may go. */
  get wait() {
    return Math.max(0, this.#due - this.#slack - Date.now());
  }

  /** One goes. */
  spend() {
    this.#due = Math.max(this.#due, Date.now()) + this.#every;
  }
}
