import { announce } from "./announcer.js";
import { connectionLine } from "./connection.js";
import { el, icon, replace } from "./dom.js";
import { explain } from "./errors.js";
import { eventList } from "./event_list.js";
import { sentence } from "./events.js";
import { openFeedback } from "./feedback_form.js";
import { clock, day, t } from "./i18n.js";
import { problem, waiting } from "./notices.js";
import { rankingList } from "./ranking.js";
import { severity } from "./severity.js";
import { Watch } from "./watch.js";

/** One diagnosis: its facts, the live line, the ranking and what happened. Patients may report. */
export function diagnosisScreen({ id, me }) {
  const isPatient = me.role === "patient";
  const thanks = new Map(); // recommendation id → when its feedback was received
  const element = el("div", { class: "screen diagnosis" });
  const facts = el("header", { class: "facts-head" });
  let watch;
  let failure = null;
  let connection, ranking, events;

  open();
  return {
    element,
    relabel() {
      build();
      if (watch.diagnosis) watch.reword();
    },
    nudge: () => watch.nudge(),
    close: () => watch.close(),
  };

  async function open() {
    watch = new Watch(id);
    failure = null;
    build();
    watch.addEventListener("diagnosis", drawFacts);
    watch.addEventListener("connection", () => connection?.draw());
    watch.addEventListener("ranking", () => ranking?.draw());
    watch.addEventListener("recommendations", () => ranking?.draw());
    watch.addEventListener("events", ({ detail }) => {
      events?.add(detail);
      connection?.draw();
      if (detail.isFresh) announce(sentence(detail, watch.recommendations));
    });
    try {
      await watch.open();
    } catch (error) {
      failure = error;
    }
    build();
  }

  /** Everything from what is known: after opening, and again in another language. */
  function build() {
    const back = el("a", { class: "back", href: "#/" }, icon("back"), t("diagnosis.back"));
    connection = ranking = events = null;
    if (failure) return replace(element, back, problem(explain(failure), open));
    if (!watch.diagnosis) return replace(element, back, waiting());
    connection = connectionLine({ watch, onLatest: () => events.element.scrollIntoView({ behavior: "smooth" }) });
    ranking = rankingList({ watch, thanks, report: mayReport });
    events = eventList({ watch });
    drawFacts();
    const columns = el("div", { class: "columns" }, ranking.element, events.element);
    replace(element, back, facts, connection.element, columns);
  }

  function drawFacts() {
    const { condition_name, patient_name, practitioner, imbalance, status, created_at, severity: value } = watch.diagnosis;
    const origin = [day(new Date(created_at)), practitioner && t("diagnosis.by", { name: practitioner })];
    replace(
      facts,
      el("h1", {}, el("bdi", {}, condition_name)),
      !isPatient && el("p", { class: "who" }, t("diagnosis.patient", { name: patient_name })),
      el(
        "div",
        { class: "facts" },
        severity(value),
        imbalance && el("span", {}, t("diagnosis.imbalance", { value: t(`mizaj.${imbalance}`) })),
      ),
      el("p", { class: "soft small" }, origin.filter(Boolean).join(" · ")),
      status !== "active" && el("div", { class: "notice", role: "status" }, t(`diagnosis.${status}`)),
    );
  }

  /** What the button of a card does, or nothing for those who do not report. */
  function mayReport(recommendation) {
    if (!isPatient || watch.diagnosis.status === "entered_in_error") return null;
    return () =>
      openFeedback({
        recommendation,
        onSent() {
          thanks.set(recommendation.id, clock(new Date()));
          ranking.draw();
          ranking.reveal(recommendation.id);
          announce(t("feedback.sent"));
        },
      });
  }
}
