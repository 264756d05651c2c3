// What is known about one open diagnosis, kept up to date by its stream. No DOM: the screen draws it.

import { freshToken, get, post } from "./api.js";
import { sideEffects } from "./catalogue.js";
import { DiagnosisStream } from "./stream.js";

const SHOWN_EVENTS = 20;
const SETTLE_MS = 60; // one report makes two events: rank once
const BETWEEN_RANKINGS_MS = 1_500; // far below the server's limit
const UNRANKED = new Set(["feedback_update", "severe_side_effect"]); // each comes with an effectiveness_update

/** Emits `diagnosis`, `ranking`, `events`, `recommendations` and `connection` when that part changed. */
export class Watch extends EventTarget {
  diagnosis = null;
  recommendations = new Map();
  ranking = null; // {level, predictions, leftOut, failed}
  level = "balanced";
  events = []; // newest first; `isFresh` for those that came after the screen was opened
  connection = { state: "connecting" };

  #id;
  #stream = null;
  #closed = false;
  #rankedAt = 0;
  #rankTimer;
  #rankQuestion = 0;

  constructor(diagnosisId) {
    super();
    this.#id = diagnosisId;
  }

  /** Reads the present state, then follows it. Throws ApiError. */
  async open() {
    const [diagnosis, { head, snapshot }] = await Promise.all([
      get(`/api/diagnoses/${this.#id}/`),
      get(`/api/diagnoses/${this.#id}/snapshot`),
      this.#rank(),
      sideEffects().catch(() => []), // only for the names in events
    ]);
    if (this.#closed) return;
    this.diagnosis = diagnosis;
    this.#know(snapshot.recommendations);
    this.#follow(head);
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#rankTimer);
    this.#stream?.stop();
  }

  nudge() {
    this.#stream?.nudge();
  }

  setLevel(level) {
    if (level === this.level) return;
    this.level = level;
    this.#rank();
  }

  rankAgain() {
    this.#rank();
  }

  /** Asks again for what the server words in the reader's language. */
  async reword() {
    const [diagnosis] = await Promise.all([get(`/api/diagnoses/${this.#id}/`).catch(() => null), this.#rank()]);
    if (!diagnosis) return;
    this.diagnosis = diagnosis;
    this.#emit("diagnosis");
  }

  #follow(head) {
    const ticket = async () => (await post("/api/realtime/tickets", { diagnosis: this.#id })).url;
    this.#stream = new DiagnosisStream({ ticket, since: Math.max(0, head - SHOWN_EVENTS), token: freshToken });
    this.#stream.addEventListener("event", ({ detail }) => this.#event(detail, detail.seq > head));
    this.#stream.addEventListener("reset", ({ detail }) => this.#reset(detail));
    this.#stream.addEventListener("state", ({ detail }) => {
      this.connection = detail;
      this.#emit("connection");
    });
    this.#stream.start();
  }

  #event(event, isFresh) {
    const shown = { ...event, isFresh, at: new Date(event.timestamp) };
    this.events = [shown, ...this.events].slice(0, SHOWN_EVENTS);
    // The snapshot already holds what happened before it.
    if (isFresh) this.#apply(event);
    this.#emit("events", shown);
    if (isFresh && !UNRANKED.has(event.type)) this.#rankSoon();
  }

  #apply({ type, data }) {
    if (type === "recommendation_update") this.#know([data.previous, data.recommendation].filter(Boolean));
    if (type === "diagnosis_update") {
      const { status, severity, imbalance } = data;
      this.diagnosis = { ...this.diagnosis, status, severity, imbalance };
      this.#emit("diagnosis");
    }
  }

  #reset({ head, snapshot }) {
    const { status, severity, imbalance } = snapshot.diagnosis;
    this.diagnosis = { ...this.diagnosis, status, severity, imbalance };
    this.recommendations.clear();
    this.#know(snapshot.recommendations);
    const shown = { type: "reset", seq: head, isFresh: true, at: new Date(), data: {} };
    this.events = [shown]; // what was shown before may not lead up to this state
    this.#emit("diagnosis");
    this.#emit("events", shown);
    this.#rankSoon();
  }

  #know(recommendations) {
    for (const recommendation of recommendations) this.recommendations.set(recommendation.id, recommendation);
    this.#emit("recommendations");
  }

  #rankSoon(atLeast = SETTLE_MS) {
    clearTimeout(this.#rankTimer);
    const wait = Math.max(atLeast, this.#rankedAt + BETWEEN_RANKINGS_MS - Date.now());
    this.#rankTimer = setTimeout(() => this.#rank(), wait);
  }

  async #rank() {
    const question = ++this.#rankQuestion;
    const level = this.level;
    this.#rankedAt = Date.now();
    try {
      const { predictions, left_out: leftOut } = await get(`/api/predictions/?diagnosis=${this.#id}&optimization_level=${level}`);
      if (question === this.#rankQuestion) this.ranking = { level, predictions, leftOut, failed: null };
    } catch (error) {
      if (question !== this.#rankQuestion) return;
      this.ranking = { level: this.level, predictions: [], leftOut: [], ...this.ranking, failed: error };
      if (!this.#closed && isTemporary(error)) this.#rankSoon((error.retryAfter ?? 5) * 1000);
    }
    if (question === this.#rankQuestion) this.#emit("ranking");
  }

  #emit(part, detail) {
    if (!this.#closed) this.dispatchEvent(new CustomEvent(part, { detail }));
  }
}

const isTemporary = ({ status }) => status === 0 || status === 429 || status >= 500;
