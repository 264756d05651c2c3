/**
 * The live stream of one diagnosis: every event once, in order, over any number of lost connections.
 * For browsers and Node 22 or newer; no DOM, no dependencies.
 *
 *   const stream = new DiagnosisStream({
 *     ticket: async () => (await post("/api/realtime/tickets", { diagnosis: id })).url,
 *     since: 0,                                                    // the number of the last event you have
 *   });
 *   stream.addEventListener("event", ({ detail }) => …);           // a frame {type, seq, timestamp, data}
 *   stream.addEventListener("reset", ({ detail }) => …);           // {head, snapshot}: start over from this state
 *   stream.addEventListener("state", ({ detail }) => …);           // {state, …} see below
 *   stream.start();                                                // and stream.stop()
 *
 * States:
 *   connecting    the first connection is being made
 *   catching_up   connected; what was missed is arriving
 *   live          nothing is missing
 *   offline       {since: Date, retryAt: Date | null}; it tries again by itself, retryAt is null while it does
 *   ended         {reason, message}: signed_out | not_allowed | refused | stopped; it does not try again
 *
 * `ticket` is asked before each connection and answers the socket's address. When it throws, `error.status` decides:
 * 401 ends as signed_out, 403 and 404 as not_allowed, anything else is tried again (after `error.retryAfter` seconds).
 *
 * Options: `ticket`, `since`, `base` (the page's address), `token` (async, an access token for servers that ask a
 * connection to renew itself), `open` (makes a WebSocket from an address), `timing` (milliseconds, see TIMING).
 */

const TIMING = {
  first: 500, // the longest wait before the first retry; doubles with each failure
  longest: 30_000,
  steady: 10_000, // a connection that held so long was a good one: the next failure counts as the first
  answer: 10_000, // how long the server may stay silent after it was asked something
  crowded: 60_000, // after "too many messages"
  confirm: 2_000, // between two confirmations of what was handed over
};

// Close codes after which trying again cannot help. All others are temporary.
const FINAL = { 1009: "refused", 4400: "refused", 4413: "refused", 4403: "not_allowed" };
const [NOT_SIGNED_IN, TOO_MANY] = [4401, 4429];

export class DiagnosisStream extends EventTarget {
  #options;
  #timing;
  #position;
  #state = { state: "ended", reason: "stopped" };
  #socket = null;
  #attempt = 0;
  #failures = 0;
  #target = 0;
  #liveAt = 0;
  #lostAt = null;
  #lastError = "";
  #retryTimer;
  #pingTimer;
  #answerTimer;
  #confirmTimer;
  #confirmed = 0;

  constructor({ ticket, since = 0, base = globalThis.location?.href, token, open, timing }) {
    super();
    this.#options = { ticket, base, token, open: open ?? ((address) => new WebSocket(address)) };
    this.#timing = { ...TIMING, ...timing };
    this.#position = since;
  }

  /** The number of the last event handed over: `since` for a later stream. */
  get position() {
    return this.#position;
  }

  get state() {
    return this.#state;
  }

  start() {
    if (this.#state.state !== "ended") return;
    this.#failures = 0;
    this.#lostAt = null;
    this.#change({ state: "connecting" });
    this.#connect();
  }

  stop() {
    this.#end("stopped");
  }

  /** Call when the device woke up or its network changed: asks for a sign of life, or reconnects at once. */
  nudge() {
    if (this.#state.state === "offline" && this.#state.retryAt) this.#connect();
    else if (this.#socket?.readyState === 1) this.#ping();
  }

  async #connect() {
    this.#drop();
    const attempt = ++this.#attempt;
    if (this.#lostAt) this.#change({ state: "offline", since: this.#lostAt, retryAt: null });
    try {
      const address = this.#address(await this.#options.ticket());
      if (attempt === this.#attempt) this.#listen(this.#options.open(address));
    } catch (error) {
      if (attempt === this.#attempt) this.#withoutTicket(error);
    }
  }

  #address(url) {
    const address = new URL(url, this.#options.base);
    address.protocol = address.protocol.replace("http", "ws");
    address.searchParams.set("since", this.#position);
    return address.href;
  }

  #withoutTicket(error) {
    if (error?.status === 401) this.#end("signed_out", error.message);
    else if (error?.status === 403 || error?.status === 404) this.#end("not_allowed", error.message);
    else this.#retry((error?.retryAfter ?? 0) * 1000);
  }

  #listen(socket) {
    this.#socket = socket;
    this.#expectAnswer();
    const ours = (handle) => (event) => socket === this.#socket && handle(event);
    socket.onmessage = ours(({ data }) => this.#receive(JSON.parse(data)));
    socket.onclose = ours(({ code }) => this.#closed(code));
  }

  #receive(frame) {
    this.#stopExpecting();
    const { type, data } = frame;
    if (type === "connect") this.#connected(data);
    else if (type === "reset") this.#reset(data);
    else if (type === "pong") this.#compare(data.head);
    else if (type === "error") this.#lastError = data.message;
    else if (type === "token_expiring") this.#renew();
    else this.#event(frame);
  }

  #connected({ head, heartbeat_seconds }) {
    this.#target = head;
    this.#pingTimer = setInterval(() => this.#ping(), heartbeat_seconds * 1000);
    // A position beyond the head (a restored database) is answered with a reset.
    if (head === this.#position) this.#live();
    else this.#change({ state: "catching_up" });
    if (this.#position > this.#confirmed) this.#confirmSoon();
  }

  #event(frame) {
    if (frame.seq <= this.#position) return; // told twice
    if (frame.seq > this.#position + 1) return this.#retry(); // a gap: ask again from the last one we have
    this.#position = frame.seq;
    this.#tell("event", frame);
    this.#confirmSoon();
    if (this.#position >= this.#target) this.#live();
  }

  #reset(data) {
    this.#position = data.head;
    this.#tell("reset", data);
    this.#confirmSoon();
    this.#live();
  }

  /** The answer to a ping names the newest event that was sent to us. */
  #compare(head) {
    if (head > this.#position) this.#retry();
  }

  #live() {
    if (this.#state.state === "live") return;
    this.#liveAt = Date.now();
    this.#lostAt = null;
    this.#change({ state: "live" });
  }

  /** Tells the server what was handed over: the clinic can see what has reached a person. */
  #confirmSoon() {
    this.#confirmTimer ??= setTimeout(() => this.#confirm(), this.#timing.confirm);
  }

  #confirm() {
    this.#confirmTimer = undefined;
    if (this.#send({ type: "ack", seq: this.#position })) this.#confirmed = this.#position;
  }

  #ping() {
    this.#send({ type: "ping" });
    this.#expectAnswer();
  }

  /** Any frame is an answer; asking again does not give the server more time. */
  #expectAnswer() {
    this.#answerTimer ??= setTimeout(() => this.#retry(), this.#timing.answer);
  }

  #stopExpecting() {
    clearTimeout(this.#answerTimer);
    this.#answerTimer = undefined;
  }

  async #renew() {
    const socket = this.#socket;
    const token = await this.#options.token?.().catch(() => null); // without one the server closes, and we reconnect
    if (token && socket === this.#socket) this.#send({ type: "refresh", token });
  }

  #send(message) {
    if (this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #closed(code) {
    if (FINAL[code]) return this.#end(FINAL[code], this.#lastError);
    // A session that ended says so when the next ticket is asked for; an expired token is renewed by then.
    if (code === NOT_SIGNED_IN && this.#failures === 0) {
      this.#failures = 1;
      this.#lostAt ??= new Date();
      return this.#connect();
    }
    this.#retry(code === TOO_MANY ? this.#timing.crowded : 0);
  }

  /** Waits at least `atLeast`, longer with each failure, and never in step with the other clients. */
  #retry(atLeast = 0) {
    const heldWell = this.#liveAt && Date.now() - this.#liveAt >= this.#timing.steady;
    if (heldWell) this.#failures = 0;
    this.#liveAt = 0;
    this.#drop();
    const ceiling = Math.min(this.#timing.longest, this.#timing.first * 2 ** this.#failures++);
    const wait = atLeast + ceiling * (0.5 + Math.random() / 2);
    this.#lostAt ??= new Date();
    this.#change({ state: "offline", since: this.#lostAt, retryAt: new Date(Date.now() + wait) });
    this.#retryTimer = setTimeout(() => this.#connect(), wait);
  }

  /** Forgets the socket without waiting for its close: a dead connection may take minutes to say so. */
  #drop() {
    clearTimeout(this.#retryTimer);
    this.#stopExpecting();
    clearInterval(this.#pingTimer);
    clearTimeout(this.#confirmTimer);
    this.#confirmTimer = undefined;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #end(reason, message = "") {
    this.#attempt++;
    this.#drop();
    if (this.#state.state !== "ended") this.#change({ state: "ended", reason, message });
  }

  #change(state) {
    this.#state = state;
    this.#tell("state", state);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
