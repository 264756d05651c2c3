// What is known about one open diagnosis, kept up to date by its stream. No DOM: screens read the signals.

import { get } from "./api.js";
import { sideEffects } from "./catalogue.js";
import { streamOf } from "./live.js";
import { batch, signal } from "./ui.js";

const SHOWN_EVENTS = 20;
const SETTLE_MS = 60; // one report makes two events: weigh once
const BETWEEN_MS = 1_500; // far below the server's limit
const UNWEIGHED = new Set(["feedback_update", "severe_side_effect"]); // each comes with an effectiveness_update

export class Watch {
  diagnosis = signal(null);
  recommendations = signal(new Map()); // id → what the stream says of it
  ranking = signal(null); // {level, predictions, left_out, failed}
  level = signal("balanced");
  figures = signal(null); // {overall, findings: recommendation id → finding, total}
  events = signal([]); // newest first; `isFresh` for those that came after the screen was opened
  tally = signal({ since: new Date(), updates: 0, reports: 0, scores: 0 });
  connection = signal({ state: "connecting" });
  failure = signal(null);

  #id;
  #stream = null;
  #closed = false;
  #weighedAt = 0;
  #weighTimer;
  #question = 0;

  constructor(diagnosisId) {
    this.#id = diagnosisId;
  }

  /** Reads the present state, then follows it; what went wrong is in `failure`. */
  async open() {
    this.failure.value = null;
    try {
      const [diagnosis, { head, snapshot }] = await Promise.all([
        get(`/api/diagnoses/${this.#id}/`),
        get(`/api/diagnoses/${this.#id}/snapshot`),
        this.#weigh(),
        sideEffects().catch(() => []), // only for the names in events
      ]);
      if (this.#closed) return;
      this.diagnosis.value = diagnosis;
      this.#know(snapshot.recommendations);
      this.#follow(head);
    } catch (error) {
      this.failure.value = error;
    }
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#weighTimer);
    this.#stream?.stop();
  }

  nudge() {
    this.#stream?.nudge();
  }

  setLevel(level) {
    this.level.value = level;
    this.#weigh();
  }

  weighAgain() {
    this.#weigh();
  }

  /** Asks again for what the server words in the reader's language. */
  async reword() {
    const [diagnosis] = await Promise.all([get(`/api/diagnoses/${this.#id}/`).catch(() => null), this.#weigh()]);
    if (diagnosis) this.diagnosis.value = diagnosis;
  }

  #follow(head) {
    this.#stream = streamOf(this.#id, Math.max(0, head - SHOWN_EVENTS));
    this.#stream.addEventListener("event", ({ detail }) => batch(() => this.#event(detail, detail.seq > head)));
    this.#stream.addEventListener("reset", ({ detail }) => batch(() => this.#reset(detail)));
    this.#stream.addEventListener("state", ({ detail }) => (this.connection.value = detail));
    this.#stream.start();
  }

  #event(event, isFresh) {
    const shown = { ...event, isFresh, at: new Date(event.timestamp) };
    this.events.value = [shown, ...this.events.value].slice(0, SHOWN_EVENTS);
    if (!isFresh) return; // the snapshot already holds what happened before it
    this.#apply(event);
    this.#count(event);
    if (!UNWEIGHED.has(event.type)) this.#weighSoon();
  }

  #apply({ type, data }) {
    if (type === "recommendation_update") this.#know([data.previous, data.recommendation].filter(Boolean));
    if (type === "diagnosis_update") this.#change(data);
  }

  #count({ type }) {
    const { updates, reports, scores, ...rest } = this.tally.value;
    this.tally.value = {
      ...rest,
      updates: updates + 1,
      reports: reports + Number(type === "feedback_update"),
      scores: scores + Number(type === "effectiveness_update"),
    };
  }

  #reset({ head, snapshot }) {
    this.#change(snapshot.diagnosis);
    this.recommendations.value = new Map();
    this.#know(snapshot.recommendations);
    // What was shown before may not lead up to this state.
    this.events.value = [{ type: "reset", seq: head, isFresh: true, at: new Date(), data: {} }];
    this.#weighSoon();
  }

  #change({ status, severity, imbalance }) {
    this.diagnosis.value = { ...this.diagnosis.value, status, severity, imbalance };
  }

  #know(recommendations) {
    const known = recommendations.map((recommendation) => [recommendation.id, recommendation]);
    this.recommendations.value = new Map([...this.recommendations.value, ...known]);
  }

  #weighSoon(atLeast = SETTLE_MS) {
    clearTimeout(this.#weighTimer);
    const wait = Math.max(atLeast, this.#weighedAt + BETWEEN_MS - Date.now());
    this.#weighTimer = setTimeout(() => this.#weigh(), wait);
  }

  /** The ranking and the figures, each shown as soon as it is here. */
  async #weigh() {
    const question = ++this.#question;
    const isNewest = () => question === this.#question && !this.#closed;
    const level = this.level.value;
    this.#weighedAt = Date.now();
    const answers = await Promise.allSettled([
      this.#rank(level).then((ranking) => isNewest() && (this.ranking.value = ranking)),
      this.#measure().then((figures) => isNewest() && (this.figures.value = figures)),
    ]);
    const failed = answers.map(({ reason }) => reason).find(Boolean);
    if (!failed || !isNewest()) return;
    this.ranking.value = { level, predictions: [], left_out: [], ...this.ranking.value, failed };
    if (isTemporary(failed)) this.#weighSoon((failed.retryAfter ?? 5) * 1000);
  }

  async #rank(level) {
    const { predictions, left_out = [] } = await get(`/api/predictions/?diagnosis=${this.#id}&optimization_level=${level}`);
    return { level, predictions, left_out, failed: null };
  }

  async #measure() {
    const [report, overview] = await Promise.all([
      get(`/api/analytics/diagnoses/${this.#id}`),
      get(`/api/diagnoses/${this.#id}/feedback-overview`),
    ]);
    const findings = new Map(report.recommendations.map((row) => [row.recommendation, row.effectiveness]));
    return { overall: report.overall, findings, total: overview.total };
  }
}

const isTemporary = ({ status }) => status === 0 || status === 429 || status >= 500;
