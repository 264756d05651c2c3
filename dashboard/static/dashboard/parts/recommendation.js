import { directions } from "../events.js";
import { clock, number, percent, points, t, word } from "../i18n.js";
import { html, useEffect, useRef, useState } from "../ui.js";
import { Bits } from "./bits.js";
import { Icon } from "./icon.js";
import { openRemedy } from "./remedy.js";
import { Trend } from "./trend.js";

const MARK_MS = 8_000;
const NOTICEABLE = 0.0005; // a tenth of a percentage point shows as 0.1

/**
 * One recommendation in the ranking. `known` is what the stream says of it, `finding` what was reported on it, either
 * may still be missing; `onReport` and `onManage` are null for those who may not; `isOnItsWay` while a report has not
 * arrived: its button stays, so that the focus can come back to it. `isLate` when it came after the others.
 */
export function Recommendation({ prediction, place, level, known, finding, thanks, isLate, isOnItsWay, onReport, onManage }) {
  const { recommendation: id, remedy, remedy_name: name, predicted_effectiveness: expected, interval, confidence } = prediction;
  const marks = useMarks({ expected, place, level, isLate });
  const [low, high] = interval;
  const open = () => openRemedy({ slug: remedy, name });
  return html`
    <li class=${marks.length ? "card recommendation fresh" : "card recommendation"} data-id=${id}>
      <div class="card-head">
        <p class="place"><span class="unseen">${t("recommendation.place", { value: place })}</span><span aria-hidden="true">${number(place)}</span></p>
        <div class="grow">
          <h3><bdi>${name}</bdi></h3>
          <p class="soft how"><${Bits} of=${known ? [word("kind", known.kind), ...directions(known)] : []} /></p>
        </div>
        <p class="score"><strong>${percent(expected)}</strong><span class="soft small">${t("recommendation.expected")}</span></p>
      </div>
      ${marks.length > 0 && html`<p class="marks">${marks.map(({ sign, text }) => html`<span class="pill"><span aria-hidden="true">${sign}</span> ${text}</span>`)}</p>`}
      <div class="bar" aria-hidden="true" style=${{ "--low": low, "--high": high, "--expected": expected }} />
      <p class="soft small">${t("recommendation.range", { low: percent(low), high: percent(high) })}</p>
      <p class="chips">
        ${finding && html`<${Trend} trend=${finding.trend} />`}
        <span class="chip">${t(`recommendation.certainty_${certainty(confidence)}`, { value: percent(confidence) })}</span>
        ${level !== "balanced" && html`<span class="chip counts">${t(`level.${level}_score`, { value: percent(prediction.score) })}</span>`}
      </p>
      ${known?.instructions && html`<p class="instructions"><bdi>${known.instructions}</bdi></p>`}
      <h4 class="unseen">${t("recommendation.why")}</h4>
      <ul class="reasons">${prediction.reasons.map((reason) => html`<li><bdi>${reason}</bdi></li>`)}</ul>
      <p class="evidence soft small"><${Bits} of=${evidence(prediction.evidence)} /></p>
      <div class="card-foot">
        ${thanks && html`<p class="thanks small"><${Icon} name="check" />${t("recommendation.thanks", { time: clock(thanks.at) })}</p>`}
        <button class="plain known" type="button" aria-label=${t("remedy.open_of", { remedy: name })} onClick=${open}>${t("remedy.open")}</button>
        ${onManage && html`<button class="tonal manage" type="button" aria-label=${t("prescribe.manage_of", { remedy: name })} onClick=${onManage}>${t("prescribe.manage")}</button>`}
        ${onReport && html`<button class="tonal report" type="button" aria-disabled=${isOnItsWay ? "true" : null} aria-label=${t("recommendation.report_on", { remedy: name })} onClick=${() => isOnItsWay || onReport()}>${t("recommendation.report")}</button>`}
      </div>
    </li>
  `;
}

/** What changed against the last time it was drawn, for a moment. Another level is another question, not a change. */
function useMarks({ expected, place, level, isLate }) {
  const before = useRef(null);
  const [marks, setMarks] = useState([]);
  useEffect(() => {
    const last = before.current;
    before.current = { expected, place, level };
    if (!last) setMarks(isLate ? [{ sign: "✦", text: t("recommendation.is_new") }] : []);
    else setMarks(last.level === level ? differences(last, { expected, place }) : []);
  }, [expected, place, level]);
  useEffect(() => {
    const timer = setTimeout(() => marks.length && setMarks([]), MARK_MS);
    return () => clearTimeout(timer);
  }, [marks]);
  return marks;
}

function differences(before, now) {
  const change = now.expected - before.expected;
  const told = [];
  if (Math.abs(change) >= NOTICEABLE) {
    const count = Math.abs(Math.round(change * 1000) / 10);
    told.push({ sign: change > 0 ? "▲" : "▼", text: t("recommendation.changed", { points: points(change), count }) });
  }
  if (now.place !== before.place) {
    const up = now.place < before.place;
    told.push({ sign: up ? "↑" : "↓", text: t(`recommendation.moved_${up ? "up" : "down"}`, { place: now.place }) });
  }
  return told;
}

const certainty = (confidence) => (confidence >= 0.75 ? "high" : confidence >= 0.5 ? "moderate" : "low");

function evidence({ feedbacks, similar_patients }) {
  const similar = similar_patients === null ? "recommendation.similar_few" : "recommendation.similar";
  const reports = feedbacks ? "recommendation.evidence" : "recommendation.no_evidence";
  return [t(reports, { count: feedbacks }), t(similar, { count: similar_patients ?? 0 })];
}
