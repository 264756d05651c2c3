import { get, post } from "../api.js";
import { explain } from "../errors.js";
import { countFlags, openFlags } from "../flags.js";
import { moment, t } from "../i18n.js";
import { announce } from "../parts/announcer.js";
import { Bits } from "../parts/bits.js";
import { Icon } from "../parts/icon.js";
import { Nothing, Problem, Waiting } from "../parts/notices.js";
import { Pager } from "../parts/pager.js";
import { Segments } from "../parts/segments.js";
import { useResource } from "../resource.js";
import { html, useEffect, useRef, useSignal } from "../ui.js";

const SIZE = 25;
const SHOWN = ["open", "all"];

/** Severe side effects that were reported, newest first, and whether somebody of the clinic has looked at each. */
export function FlagsScreen() {
  const wanted = useSignal({ shown: "open", page: 1 });
  const { data, failure, again } = useResource(() => askForFlags(wanted.peek()));
  useEffect(() => void (data && again()), [openFlags.value]);
  const want = (part) => {
    wanted.value = { ...wanted.value, page: 1, ...part };
    again();
  };
  const options = SHOWN.map((value) => ({ value, label: t(`flags.${value}`) }));
  return html`
    <div class="screen flags">
      <h1 tabindex="-1">${t("flags.title")}</h1>
      <p class="soft lead">${t("flags.lead")}</p>
      <${Segments} quiet name="flags-shown" legend=${t("flags.show")} options=${options} value=${wanted.value.shown} onChoose=${(shown) => want({ shown })} />
      ${failure && html`<${Problem} failure=${failure} retry=${again} />`}
      ${!data && !failure && html`<${Waiting} />`}
      ${data?.count === 0 && html`<${Nothing} icon="check" title=${t("flags.none")} hint=${t("flags.none_hint")} />`}
      <ul class="cards plain-list">${data?.results.map((flag) => html`<${Flag} key=${flag.id} flag=${flag} onLooked=${again} />`)}</ul>
      ${data && html`<${Pager} page=${wanted.value.page} size=${SIZE} count=${data.count} onTurn=${(page) => want({ page })} />`}
    </div>
  `;
}

const askForFlags = ({ shown, page }) => get(`/api/severe-side-effects/?page_size=${SIZE}&page=${page}${shown === "open" ? "&open=true" : ""}`);

function Flag({ flag, onLooked }) {
  const failure = useSignal(null);
  const card = useRef(null);
  const look = async () => {
    failure.value = null;
    try {
      await post(`/api/severe-side-effects/${flag.id}/look-at/`);
      announce(t("flags.looked_done"));
      passFocusOn(card.current);
      await Promise.all([onLooked(), countFlags()]);
    } catch (error) {
      failure.value = error;
    }
  };
  const { patient_name: name, looked_at: at, looked_at_by: by } = flag;
  return html`
    <li class="card flag" data-id=${flag.id} tabindex="-1" ref=${card}>
      <div class="report-head">
        <span class="medallion warn"><${Icon} name="alert" /></span>
        <div class="grow">
          <h2><bdi>${name}</bdi></h2>
          <p class="small"><${Bits} of=${[flag.remedy_name, flag.condition_name]} /></p>
          <p class="soft small">${moment(new Date(flag.raised_at))}</p>
        </div>
      </div>
      <p class="chips">${flag.side_effects.map(({ effect, name: called, severity }) => html`<span class=${severity >= 4 ? "chip severe" : "chip"} key=${effect}>${called} · ${t(`feedback.severity_${severity}`)}</span>`)}</p>
      ${failure.value && html`<div class="notice bad" role="alert">${explain(failure.value)}</div>`}
      ${at && html`<p class="soft small seen"><${Icon} name="check" />${t("flags.looked", { name: by, time: moment(new Date(at)) })}</p>`}
      <div class="card-foot">
        <a class="plain known" href=${`#/diagnoses/${flag.diagnosis}`} aria-label=${t("flags.open_of", { name })}>${t("flags.open_diagnosis")}</a>
        ${!at && html`<button class="tonal" type="button" aria-label=${t("flags.look_of", { name })} onClick=${look}>${t("flags.look")}</button>`}
      </div>
    </li>
  `;
}

/** To the next warning, or the heading: what is looked at goes, and its button with it. */
function passFocusOn(card) {
  if (!card?.contains(document.activeElement)) return;
  const next = card.nextElementSibling ?? document.querySelector(".flags h1");
  next.focus();
}
