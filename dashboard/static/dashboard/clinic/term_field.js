import { get } from "../api.js";
import { nameOf } from "../catalogue.js";
import { explain } from "../errors.js";
import { directionOf, t } from "../i18n.js";
import { Bits } from "../parts/bits.js";
import { Icon } from "../parts/icon.js";
import { html, useEffect, useRef, useSignal } from "../ui.js";

const WAIT_MS = 200;
const SHOWN = 8;
const NONE = new Map();

/**
 * Chooses a word of the catalogue at `path` by a part of its name, in either language. `about(term)` is what stands below
 * the name; `none` is said when nothing is found; `forbidden` maps slugs to why they must not be chosen, in words.
 */
export function TermField({ id, path, label, hint, none, icon, about, value, error, forbidden = NONE, onChoose }) {
  const errorId = error ? `${id}-error` : null;
  const wrong = error && html`<p class="error" id=${errorId}>${error}</p>`;
  return html`
    <div class="field term-field">
      ${value
        ? html`<${Chosen} term=${value} label=${label} icon=${icon} about=${about} errorId=${errorId} onClear=${() => onChoose(null)} />${wrong}`
        : html`<${Search} id=${id} path=${path} label=${label} hint=${hint} none=${none} about=${about} errorId=${errorId} wrong=${wrong} forbidden=${forbidden} onChoose=${onChoose} />`}
    </div>
  `;
}

function Chosen({ term, label, icon, about, errorId, onClear }) {
  const button = useRef(null);
  useEffect(() => button.current.focus(), []);
  return html`
    <span class="label">${label}</span>
    <div class="chosen" aria-invalid=${errorId ? "true" : null}>
      <span class="medallion"><${Icon} name=${icon} /></span>
      <p class="grow"><bdi class="strong">${nameOf(term)}</bdi><br /><span class="soft small"><${Bits} of=${about(term)} /></span></p>
      <button class="plain" type="button" ref=${button} aria-describedby=${errorId} onClick=${onClear}>${t("term.other")}</button>
    </div>
  `;
}

function Search({ id, path, label, hint, none, about, errorId, wrong, forbidden, onChoose }) {
  const typed = useSignal("");
  const { found, failure } = useFound(path, typed.value);
  return html`
    <label for=${id}>${label}</label>
    <input id=${id} type="search" dir=${directionOf(typed.value)} autocomplete="off" placeholder=${hint} value=${typed.value} aria-invalid=${errorId ? "true" : null} aria-describedby=${errorId} onInput=${({ target }) => (typed.value = target.value)} />
    ${wrong}
    ${failure && html`<p class="error">${explain(failure)}</p>`}
    ${found?.length === 0 && html`<p class="soft small" role="status">${none}</p>`}
    <ul class="found plain-list">
      ${found?.map((term) => html`<li key=${term.slug}><${Found} term=${term} about=${about} why=${forbidden.get(term.slug)} onChoose=${onChoose} /></li>`)}
    </ul>
  `;
}

function Found({ term, about, why, onChoose }) {
  return html`
    <button class="row" type="button" data-slug=${term.slug} disabled=${Boolean(why)} onClick=${() => onChoose(term)}>
      <span class="grow"><bdi class="strong">${nameOf(term)}</bdi><br /><span class="soft small"><${Bits} of=${about(term)} /></span></span>
      ${why && html`<span class="chip forbidden"><${Icon} name="alert" />${why}</span>`}
    </button>
  `;
}

/** The first few words with `typed` in a name, the newest question's answer. */
function useFound(path, typed) {
  const state = useSignal({ found: null, failure: null });
  useEffect(() => {
    let isOld = false;
    const ask = async () => {
      const asked = new URLSearchParams({ is_active: true, page_size: SHOWN, q: typed.trim() });
      const answer = await get(`${path}?${asked}`).then(({ results }) => ({ found: results, failure: null }), (failure) => ({ found: null, failure }));
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
