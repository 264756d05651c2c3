import { el, replace } from "./dom.js";
import { explain } from "./errors.js";
import { t } from "./i18n.js";
import { nothing, problem, waiting } from "./notices.js";
import { recommendationCard } from "./recommendation.js";

const LEVELS = ["conservative", "balanced", "aggressive"];

/** An open recommendation that is not ranked says why. */
const unranked = ({ remedy_name: name, reason }) => el("p", { class: "notice warn" }, el("bdi", {}, name), ": ", el("bdi", {}, reason));

/** The open recommendations, best first. `report(recommendation)` gives the action of the feedback button, or null. */
export function rankingList({ watch, thanks, report }) {
  const cards = new Map();
  let drawnLevel = null;
  let ranked = null;
  let followed = null;
  const hint = el("p", { class: "soft small lead" });
  const stale = el("p", { class: "notice small" }, t("ranking.stale"));
  const list = el("ol", { class: "cards plain-list" });
  const leftOut = el("div");
  const rest = el("div");
  const element = el(
    "section",
    { class: "ranking-part", "aria-labelledby": "ranking-title" },
    el("h2", { id: "ranking-title" }, t("ranking.title")),
    levelSwitch(),
    hint,
    stale,
    list,
    leftOut,
    rest,
  );
  draw();
  return { element, draw, reveal };

  function draw() {
    const { ranking } = watch;
    hint.textContent = t(`level.${watch.level}_hint`);
    const isEmpty = ranking?.predictions.length === 0 && ranking.leftOut.length === 0;
    stale.hidden = !ranking?.failed || isEmpty;
    if (ranking) arrange(ranking);
    replace(leftOut, ranking?.leftOut.map(unranked));
    replace(
      rest,
      !ranking && waiting(),
      isEmpty && !ranking.failed && nothing(t("ranking.none"), t("ranking.none_hint")),
      isEmpty && ranking.failed && problem(explain(ranking.failed), () => watch.rankAgain()),
    );
  }

  function arrange({ level, predictions }) {
    const isSameQuestion = level === drawnLevel;
    const before = new Map([...cards].map(([id, card]) => [id, card.element.offsetTop]));
    const focused = document.activeElement;
    predictions.forEach((prediction, index) => {
      const card = cardOf(prediction);
      const recommendation = watch.recommendations.get(prediction.recommendation);
      card.draw({ prediction, place: index + 1, level, recommendation, thanks: thanks.get(card.id), isSameQuestion });
      if (list.children[index] !== card.element) list.insertBefore(card.element, list.children[index] ?? null);
    });
    const open = new Set(predictions.map((prediction) => prediction.recommendation));
    for (const [id, card] of cards) if (!open.has(id)) (card.element.remove(), cards.delete(id));
    if (element.contains(focused)) focused.focus({ preventScroll: true });
    if (followed && ranked !== watch.ranking) follow();
    if (drawnLevel !== null) glide(before);
    ranked = watch.ranking;
    drawnLevel = level;
  }

  /** Brings a card into view, and once more if the next ranking moves it elsewhere. */
  function reveal(id) {
    followed = id;
    cards.get(id)?.element.scrollIntoView({ block: "nearest" });
  }

  function follow() {
    reveal(followed);
    followed = null;
  }

  function cardOf({ recommendation: id }) {
    if (!cards.has(id)) cards.set(id, recommendationCard({ id, report, isLate: drawnLevel !== null }));
    return cards.get(id);
  }

  /** Cards slide from where they were, unless the reader prefers stillness. */
  function glide(before) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    for (const [id, { element: card }] of cards) {
      const distance = (before.get(id) ?? NaN) - card.offsetTop;
      if (!distance) continue; // also when it was not there before
      const from = { transform: `translateY(${distance}px)` };
      card.animate([from, { transform: "none" }], { duration: 420, easing: "cubic-bezier(.2,.8,.2,1)" });
    }
  }

  function levelSwitch() {
    const option = (level) => {
      const id = `level-${level}`;
      const onchange = () => (watch.setLevel(level), draw());
      const input = el("input", { type: "radio", name: "level", id, value: level, checked: level === watch.level, onchange });
      return [input, el("label", { for: id }, t(`level.${level}`))];
    };
    return el(
      "fieldset",
      { class: "segments" },
      el("legend", { class: "unseen" }, t("ranking.level")),
      LEVELS.map(option),
    );
  }
}
