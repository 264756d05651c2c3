import { get } from "../api.js";
import { nameOf } from "../catalogue.js";
import { explain } from "../errors.js";
import { t, word } from "../i18n.js";
import { Bits } from "../parts/bits.js";
import { Icon } from "../parts/icon.js";
import { html, useEffect, useRef, useSignal } from "../ui.js";

const WAIT_MS = 200;
const SHOWN = 8;
const NONE = new Map();

/** Chooses a remedy (as the catalogue has it) by a part of its name. `forbidden` maps slugs to why they must not be given. */
export function RemedyField({ value, error, forbidden = NONE, onChoose }) {
  return html`
    <div class="field remedy-field">
      ${value ? html`<${Chosen} remedy=${value} error=${error} onClear=${() => onChoose(null)} />` : html`<${Search} error=${error} forbidden=${forbidden} onChoose=${onChoose} />`}
      ${error && html`<p class="error" id="remedy-error">${error}</p>`}
    </div>
  `;
}

function Chosen({ remedy, error, onClear }) {
  const button = useRef(null);
  useEffect(() => button.current.focus(), []);
  return html`
    <span class="label">${t("prescribe.remedy")}</span>
    <div class="chosen" aria-invalid=${error ? "true" : null}>
      <span class="medallion"><${Icon} name="leaf" /></span>
      <p class="grow"><bdi class="strong">${nameOf(remedy)}</bdi><br /><span class="soft small"><${Bits} of=${about(remedy)} /></span></p>
      <button class="plain" type="button" ref=${button} aria-describedby=${error ? "remedy-error" : null} onClick=${onClear}>${t("prescribe.other_remedy")}</button>
    </div>
  `;
}

function Search({ error, forbidden, onChoose }) {
  const typed = useSignal("");
  const { found, failure } = useFound(typed.value);
  return html`
    <label for="remedy">${t("prescribe.remedy")}</label>
    <input id="remedy" type="search" dir="auto" autocomplete="off" placeholder=${t("prescribe.remedy_hint")} value=${typed.value} aria-invalid=${error ? "true" : null} aria-describedby=${error ? "remedy-error" : null} onInput=${({ target }) => (typed.value = target.value)} />
    ${failure && html`<p class="error">${explain(failure)}</p>`}
    ${found?.length === 0 && html`<p class="soft small" role="status">${t("prescribe.no_remedy")}</p>`}
    <ul class="found plain-list">
      ${found?.map((remedy) => html`<li key=${remedy.slug}><${Found} remedy=${remedy} why=${forbidden.get(remedy.slug)} onChoose=${onChoose} /></li>`)}
    </ul>
  `;
}

function Found({ remedy, why, onChoose }) {
  return html`
    <button class="row" type="button" data-slug=${remedy.slug} disabled=${Boolean(why)} onClick=${() => onChoose(remedy)}>
      <span class="grow"><bdi class="strong">${nameOf(remedy)}</bdi><br /><span class="soft small"><${Bits} of=${about(remedy)} /></span></span>
      ${why && html`<span class="chip forbidden"><${Icon} name="alert" />${t("prescribe.forbidden", { cause: why })}</span>`}
    </button>
  `;
}

const about = ({ kind, scientific_name }) => [word("kind", kind), scientific_name];

/** The first few remedies with `typed` in a name, the newest question's answer. */
function useFound(typed) {
  const state = useSignal({ found: null, failure: null });
  useEffect(() => {
    let isOld = false;
    const ask = async () => {
      const asked = new URLSearchParams({ is_active: true, page_size: SHOWN, q: typed.trim() });
      const answer = await get(`/api/remedies/?${asked}`).then(({ results }) => ({ found: results, failure: null }), (failure) => ({ found: null, failure }));
      if (!isOld) state.value = answer;
    };
    const timer = setTimeout(ask, typed ? WAIT_MS : 0);
    return () => {
      isOld = true;
      clearTimeout(timer);
    };
  }, [typed]);
  return state.value;
}
