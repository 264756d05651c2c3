import { el, icon, replace } from "./dom.js";
import { directions } from "./events.js";
import { number, percent, points, t, word } from "./i18n.js";
import { openRemedy } from "./remedy_sheet.js";

const MARK_MS = 8_000;
const NOTICEABLE = 0.0005; // a tenth of a percentage point shows as 0.1

/** One recommendation in the ranking. `draw` may be called again with newer figures: it marks what changed. */
export function recommendationCard({ id, report, isLate }) {
  const element = el("li", { class: "card recommendation", "data-id": id });
  const place = el("p", { class: "place" });
  const name = el("bdi");
  const kind = el("p", { class: "how soft" });
  const how = el("p", { class: "how soft" });
  const instructions = el("p", { class: "small" });
  const score = el("p", { class: "score" });
  const marks = el("p", { class: "marks" });
  const bar = el("div", { class: "bar", "aria-hidden": "true" });
  const bounds = el("div", { class: "bounds small" });
  const reasons = el("ul", { class: "reasons" });
  const evidence = el("p", { class: "evidence soft small" });
  const more = el("button", { class: "plain known", type: "button" });
  const foot = el("div", { class: "card-foot" });
  const title = el("div", { class: "grow" }, el("h3", {}, name), kind, how);
  element.append(el("div", { class: "card-head" }, place, title, score), marks, bar, bounds, instructions, reasons, evidence, more, foot);
  let shown = null;
  let markTimer;
  return { id, element, draw };

  function draw({ prediction, place: index, level, recommendation, thanks, isSameQuestion }) {
    const { remedy_name, predicted_effectiveness: expected, interval, confidence } = prediction;
    const [low, high] = interval;
    place.replaceChildren(el("span", { class: "unseen" }, t("recommendation.place", { value: index })), visible(number(index)));
    name.textContent = remedy_name;
    kind.textContent = recommendation ? word("kind", recommendation.kind) : "";
    replace(how, recommendation && bits(directions(recommendation)));
    replace(instructions, recommendation?.instructions && el("bdi", {}, recommendation.instructions));
    replace(score, el("strong", {}, percent(expected)), el("span", { class: "soft small" }, t("recommendation.expected")));
    for (const [key, value] of Object.entries({ low, high, expected })) bar.style.setProperty(`--${key}`, value);
    replace(
      bounds,
      el("span", {}, t("recommendation.range", { low: percent(low), high: percent(high) })),
      el("span", {}, t(`recommendation.certainty_${certainty(confidence)}`, { value: percent(confidence) })),
      level !== "balanced" && el("span", { class: "counts" }, t(`level.${level}_score`, { value: percent(prediction.score) })),
    );
    replace(reasons, prediction.reasons.map((reason) => el("li", {}, el("bdi", {}, reason))));
    evidence.textContent = known(prediction.evidence).join(" · ");
    drawMore({ slug: prediction.remedy, name: remedy_name });
    drawFoot({ recommendation: { id, name: remedy_name }, thanks });
    mark({ expected, index }, isSameQuestion);
  }

  function drawMore(remedy) {
    more.onclick = () => openRemedy(remedy);
    more.setAttribute("aria-label", t("remedy.open_of", { remedy: remedy.name }));
    replace(more, icon("gauge"), t("remedy.open"));
  }

  function drawFoot({ recommendation, thanks }) {
    const onclick = report(recommendation);
    const label = t("recommendation.report_on", { remedy: recommendation.name });
    const button = foot.querySelector("button") ?? el("button", { class: "tonal", type: "button" });
    button.onclick = onclick;
    button.setAttribute("aria-label", label);
    button.textContent = t("recommendation.report");
    const received = thanks && el("p", { class: "thanks small" }, icon("check"), t("recommendation.thanks", { time: thanks }));
    foot.querySelector(".thanks")?.remove();
    if (received) foot.prepend(received);
    if (onclick && !button.isConnected) foot.append(button); // moving it would lose its focus
    if (!onclick) button.remove();
  }

  function mark(now, isSameQuestion) {
    const before = shown;
    shown = now;
    const told = before ? isSameQuestion && differences(before, now) : isLate && [el("span", { class: "pill" }, t("recommendation.is_new"))];
    if (!told?.length) return;
    replace(marks, told);
    element.classList.remove("fresh");
    void element.offsetWidth; // starts the highlight anew
    element.classList.add("fresh");
    clearTimeout(markTimer);
    markTimer = setTimeout(() => (element.classList.remove("fresh"), replace(marks)), MARK_MS);
  }
}

function differences(before, now) {
  const change = now.expected - before.expected;
  const told = [];
  if (Math.abs(change) >= NOTICEABLE) {
    const count = Math.abs(Math.round(change * 1000) / 10);
    told.push(pill(change > 0 ? "▲" : "▼", t("recommendation.changed", { points: points(change), count })));
  }
  if (now.index !== before.index) {
    const up = now.index < before.index;
    told.push(pill(up ? "↑" : "↓", t(`recommendation.moved_${up ? "up" : "down"}`, { place: now.index })));
  }
  return told;
}

const pill = (sign, text) => el("span", { class: "pill" }, el("span", { "aria-hidden": "true" }, sign), ` ${text}`);
const visible = (text) => el("span", { "aria-hidden": "true" }, text);

/** What the practitioner wrote may run the other way than the page. */
function bits(words) {
  return words.map((bit, index) => el("span", { class: "bit" }, el("bdi", {}, bit), index < words.length - 1 && " ·\u00a0"));
}

const certainty = (confidence) => (confidence >= 0.75 ? "high" : confidence >= 0.5 ? "moderate" : "low");

function known({ feedbacks, similar_patients }) {
  const similar = similar_patients === null ? "recommendation.similar_few" : "recommendation.similar";
  const reports = feedbacks ? "recommendation.evidence" : "recommendation.no_evidence";
  return [t(reports, { count: feedbacks }), t(similar, { count: similar_patients ?? 0 })];
}
