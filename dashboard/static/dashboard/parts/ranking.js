import { percent, t } from "../i18n.js";
import { html, useEffect, useRef, useSignal } from "../ui.js";
import { useGlide } from "./glide.js";
import { useGradually } from "./gradually.js";
import { Icon } from "./icon.js";
import { Nothing, Problem, Waiting } from "./notices.js";
import { Recommendation } from "./recommendation.js";
import { Segments } from "./segments.js";

const LEVELS = ["conservative", "balanced", "aggressive"];
const GOOD = 0.75;

/**
 * The open recommendations, best first. For those who report `report(recommendation)`, for those who prescribe
 * `manage(recommendation)` and `add()`, else null. `onTheirWay` holds the recommendations whose report has not arrived;
 * `thanks` maps them to the report on them that was received, `{at}`.
 */
export function Ranking({ watch, thanks, onTheirWay, report, manage, add }) {
  const onlyGood = useSignal(false);
  const ranking = watch.ranking.value;
  const reach = (prediction) => !onlyGood.value || prediction.score >= GOOD;
  const shown = ranking?.predictions.filter(reach) ?? [];
  const hidden = (ranking?.predictions.length ?? 0) - shown.length;
  const isEmpty = ranking?.predictions.length === 0;
  return html`
    <section class="part ranking" aria-labelledby="ranking-title">
      <h2 id="ranking-title">${t("ranking.title")}</h2>
      <${Levels} watch=${watch} />
      <${OnlyGood} isOn=${onlyGood} />
      ${ranking?.failed && !isEmpty && html`<p class="notice small">${t("ranking.stale")}</p>`}
      ${!ranking && html`<${Waiting} />`}
      <${Cards} watch=${watch} shown=${shown} thanks=${thanks} onTheirWay=${onTheirWay} report=${report} manage=${manage} />
      ${hidden > 0 && html`<p class="soft small lead" role="status">${t("ranking.hidden", { count: hidden })}</p>`}
      ${isEmpty && !ranking.failed && html`<${Nothing} title=${t("ranking.none")} hint=${t("ranking.none_hint")} />`}
      ${isEmpty && ranking.failed && html`<${Problem} failure=${ranking.failed} retry=${() => watch.weighAgain()} />`}
      ${ranking?.left_out.length > 0 && html`<${LeftOut} rows=${ranking.left_out} manage=${manage} />`}
      ${add && html`<button class="quiet wide" type="button" id="add-recommendation" onClick=${add}>${t("prescribe.add_title")}</button>`}
    </section>
  `;
}

function Levels({ watch }) {
  const level = watch.level.value;
  const options = LEVELS.map((value) => ({ value, label: t(`level.${value}`) }));
  return html`
    <${Segments} quiet name="level" legend=${t("ranking.level")} options=${options} value=${level} onChoose=${(value) => watch.setLevel(value)} />
    <p class="soft small">${t(`level.${level}_hint`)}</p>
  `;
}

function OnlyGood({ isOn }) {
  return html`
    <label class="switch">
      <span>${t("ranking.only_good", { share: percent(GOOD) })}</span>
      <input type="checkbox" role="switch" id="only-good" checked=${isOn.value} onChange=${({ target }) => (isOn.value = target.checked)} />
      <i aria-hidden="true" />
    </label>
  `;
}

function Cards({ watch, shown, thanks, onTheirWay, report, manage }) {
  const list = useRef(null);
  const isLate = useRef(false);
  const drawn = shown.slice(0, useGradually(shown.length));
  useGlide(list, drawn.map(({ recommendation }) => recommendation).join());
  useEffect(() => void (isLate.current ||= shown.length > 0 && drawn.length === shown.length));
  const { level } = watch.ranking.value ?? {};
  const card = (prediction, index) => {
    const id = prediction.recommendation;
    return html`<${Recommendation}
      key=${id}
      prediction=${prediction}
      place=${index + 1}
      level=${level}
      known=${watch.recommendations.value.get(id)}
      finding=${watch.figures.value?.findings.get(id)}
      thanks=${thanks.get(id)}
      isLate=${isLate.current}
      isOnItsWay=${onTheirWay.has(id)}
      onReport=${report && (() => report({ id, name: prediction.remedy_name }))}
      onManage=${manage && (() => manage({ id, name: prediction.remedy_name }))}
    />`;
  };
  return html`<ol class="cards plain-list" ref=${list}>${drawn.map(card)}</ol>`;
}

/** Open, but not ranked, and why. */
function LeftOut({ rows, manage }) {
  return html`
    <div class="left-out">
      <h3>${t("ranking.left_out")}</h3>
      <ul class="plain-list">
        ${rows.map(
          ({ recommendation, remedy_name, reason }) => html`
            <li key=${recommendation}><${Icon} name="alert" /><span><bdi class="strong">${remedy_name}</bdi><br /><span class="soft">${reason}</span></span>${manage && html`<button class="tonal manage" type="button" aria-label=${t("prescribe.manage_of", { remedy: remedy_name })} onClick=${() => manage({ id: recommendation, name: remedy_name })}>${t("prescribe.manage")}</button>`}</li>
          `,
        )}
      </ul>
    </div>
  `;
}
