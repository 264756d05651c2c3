// What is known about one open diagnosis, kept up to date by its stream. No DOM: screens read the signals.

import { get, isAway, isTemporary, lostAt } from "./api.js";
import { sideEffects } from "./catalogue.js";
import { streamOf } from "./live.js";
import { Pace } from "./pace.js";
import { lastSeen, remember } from "./seen.js";
import { batch, effect, signal } from "./ui.js";

const SHOWN_EVENTS = 20;
const SETTLE_MS = 10; // one act may make several events: weigh once
const [FEW, BETWEEN_MS] = [4, 1_500]; // weighed at once, then one in this time: far below the server's limit
const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [2_000, 30_000]; // before the server is asked again
const REST_MS = 500; // several things change at once: keep them once
const SEALED = new Set(["symptoms", "notes"]); // that they changed is told, not to what
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
  asOf = signal(null); // from when it is what is shown, until the server has answered

  #id;
  #stream = null;
  #closed = false;
  #pace = new Pace(FEW, BETWEEN_MS);
  #weighTimer;
  #question = 0;
  #openTimer;
  #failures = 0;
  #keepTimer;
  #stopKeeping = () => {};

  constructor(diagnosisId) {
    this.#id = diagnosisId;
  }

  /** Shows what was seen last, reads the present state, then follows it; what went wrong is in `failure`. */
  async open() {
    clearTimeout(this.#openTimer);
    this.failure.value = null;
    if (!this.diagnosis.value) await this.#showLastSeen();
    try {
      const [diagnosis, { head, snapshot }] = await Promise.all([
        get(`/api/diagnoses/${this.#id}/`),
        get(`/api/diagnoses/${this.#id}/snapshot`),
        this.#weigh(),
        sideEffects().catch(() => []), // only for the names in events
      ]);
      if (this.#closed) return;
      batch(() => {
        this.diagnosis.value = diagnosis;
        this.recommendations.value = new Map();
        this.#know(snapshot.recommendations);
        this.asOf.value = null;
      });
      this.#follow(head);
      this.#stopKeeping = effect(() => this.#keepSoon(this.#shown()));
    } catch (error) {
      if (!this.#closed) this.#notOpened(error);
    }
  }

  close() {
    this.#closed = true;
    for (const timer of [this.#weighTimer, this.#openTimer, this.#keepTimer]) clearTimeout(timer);
    this.#stopKeeping();
    this.#stream?.stop();
  }

  nudge() {
    if (this.#stream) this.#stream.nudge();
    else if (this.#failures) this.open();
  }

  setLevel(level) {
    this.level.value = level;
    this.#weigh();
  }

  weighAgain() {
    this.#weigh();
  }

  /** All of it; what the stream knows it looks after itself. */
  askAgain() {
    this.nudge();
    return this.#stream ? this.reword() : this.open();
  }

  /** Asks again for what the server words in the reader's language. */
  async reword() {
    const [diagnosis] = await Promise.all([get(`/api/diagnoses/${this.#id}/`).catch(() => null), this.#weigh()]);
    if (diagnosis) this.diagnosis.value = diagnosis;
  }

  async #showLastSeen() {
    const kept = await lastSeen(`diagnosis ${this.#id}`);
    if (!kept || this.#closed || this.diagnosis.value) return;
    const { diagnosis, recommendations, ranking, figures, events } = kept.data;
    batch(() => {
      this.asOf.value = kept.at;
      this.diagnosis.value = diagnosis;
      this.#know(recommendations);
      this.ranking.value ??= ranking;
      this.figures.value ??= figures && { ...figures, findings: new Map(figures.findings) };
      this.events.value = events.map((event) => ({ ...event, isFresh: false, at: new Date(event.timestamp) }));
    });
  }

  /** What is shown stays, and it is tried again, when only the server is away. */
  #notOpened(error) {
    if (!this.diagnosis.value || !isAway(error)) return void (this.failure.value = error);
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures++);
    this.connection.value = { state: "offline", since: lostAt.value ?? new Date(), retryAt: new Date(Date.now() + wait) };
    this.#openTimer = setTimeout(() => this.open(), wait);
  }

  #shown() {
    const figures = this.figures.value;
    return {
      diagnosis: this.diagnosis.value,
      recommendations: [...this.recommendations.value.values()],
      ranking: this.ranking.value && { ...this.ranking.value, failed: null },
      figures: figures && { ...figures, findings: [...figures.findings] },
      events: this.events.value.filter(({ type }) => type !== "reset"),
    };
  }

  #keepSoon(shown) {
    clearTimeout(this.#keepTimer);
    this.#keepTimer = setTimeout(() => remember(`diagnosis ${this.#id}`, shown), REST_MS);
  }

  #follow(head) {
    const since = this.#continueEvents(head);
    this.#stream = streamOf(this.#id, since);
    this.#stream.addEventListener("event", ({ detail }) => batch(() => this.#event(detail, detail.seq > head)));
    this.#stream.addEventListener("reset", ({ detail }) => batch(() => this.#reset(detail)));
    this.#stream.addEventListener("state", ({ detail }) => (this.connection.value = detail));
    this.#stream.start();
  }

  /** After which event to go on: those seen last stay when the missing ones join them without a gap. */
  #continueEvents(head) {
    const oldest = Math.max(0, head - SHOWN_EVENTS);
    const newest = this.events.value[0]?.seq ?? 0;
    if (newest >= oldest && newest <= head) return newest;
    this.events.value = [];
    return oldest;
  }

  #event(event, isFresh) {
    const shown = { ...event, isFresh, at: new Date(event.timestamp) };
    this.events.value = [shown, ...this.events.value].slice(0, SHOWN_EVENTS);
    if (!isFresh) return; // the snapshot already holds what happened before it
    this.#apply(event);
    this.#count(event);
    if (!UNWEIGHED.has(event.type)) this.#weighSoon();
  }

  /** What the event says is shown at once; what it does not say is there when the server was asked. */
  #apply({ type, data }) {
    if (type === "diagnosis_update") this.#change(data);
    if (type === "diagnosis_update" && data.changed_fields.some((field) => SEALED.has(field))) this.reword();
    if (type === "effectiveness_update") this.#find(data);
    if (type !== "recommendation_update") return;
    this.#know([data.previous, data.recommendation].filter(Boolean));
    const ranking = this.ranking.value;
    if (ranking) this.ranking.value = this.#withoutEnded(reranked(ranking, data.ranking));
  }

  #find({ recommendation_id: id, previous_score, remedy, ...finding }) {
    const { findings, ...figures } = this.figures.value ?? {};
    const before = findings?.get(id);
    if (before) this.figures.value = { ...figures, findings: new Map([...findings, [id, { ...before, ...finding }]]) };
  }

  #withoutEnded({ predictions, left_out, ...ranking }) {
    const isOpen = ({ recommendation }) => (this.recommendations.value.get(recommendation)?.status ?? "active") === "active";
    return { ...ranking, predictions: predictions.filter(isOpen), left_out: left_out.filter(isOpen) };
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
    this.#weighTimer = setTimeout(() => this.#weigh(), Math.max(atLeast, this.#pace.wait));
  }

  /** The ranking and the figures, each shown as soon as it is here. */
  async #weigh() {
    const question = ++this.#question;
    const isNewest = () => question === this.#question && !this.#closed;
    const level = this.level.value;
    this.#pace.spend();
    const answers = await Promise.allSettled([
      this.#rank(level).then((ranking) => isNewest() && (this.ranking.value = this.#withoutEnded(ranking))),
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

/** The ranking with the order and the scores that an event tells; they are those of the balanced level. */
function reranked(ranking, told) {
  if (!told.length || ranking.level !== "balanced") return ranking;
  const places = new Map(told.map(({ recommendation_id: id }, place) => [id, place]));
  const placeOf = ({ recommendation: id }) => places.get(id) ?? told.length;
  const predictions = ranking.predictions.map((prediction) => rescored(prediction, told[placeOf(prediction)]));
  return { ...ranking, predictions: predictions.sort((one, other) => placeOf(one) - placeOf(other)) };
}

function rescored(prediction, told) {
  if (!told) return prediction;
  const { predicted_effectiveness, interval } = told;
  const [low, high] = interval;
  return { ...prediction, predicted_effectiveness, score: predicted_effectiveness, interval, confidence: 1 - (high - low) };
}
