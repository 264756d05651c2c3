import { nameOf, sideEffects } from "../catalogue.js";
import { t, word } from "../i18n.js";
import { useResource } from "../resource.js";
import { html, useEffect, useRef } from "../ui.js";
import { Icon } from "./icon.js";
import { Scale } from "./scale.js";

const SEVERE = 4;

/** `effects` maps slugs to a severity, or to null until it is chosen; `onChange(effects, slug)` gets a changed copy. */
export function SideEffects({ effects, errors, onChange }) {
  const { data: terms, failure, again } = useResource(sideEffects);
  const set = (slug, severity) => onChange(new Map([...effects, [slug, severity]]), slug);
  const remove = (slug) => onChange(new Map([...effects].filter(([other]) => other !== slug)), slug);
  const isSevere = [...effects.values()].some((severity) => severity >= SEVERE);
  const nameOfSlug = (slug) => nameOf(terms?.find((term) => term.slug === slug) ?? { name_en: slug, name_fa: slug });
  return html`
    <div class="field effects">
      <label for="effect">${t("feedback.effects")} <span class="soft small">(${t("feedback.optional")})</span></label>
      ${[...effects].map(
        ([slug, severity]) => html`
          <${Effect} key=${slug} slug=${slug} name=${nameOfSlug(slug)} severity=${severity} error=${errors[slug]} onChange=${(value) => set(slug, value)} onRemove=${() => remove(slug)} />
        `,
      )}
      ${isSevere && html`<p class="notice warn" role="status">${t("feedback.severe")}</p>`}
      ${!terms && !failure && html`<p class="soft small">${t("feedback.effects_loading")}</p>`}
      ${failure && html`<div class="notice"><p>${t("feedback.effects_failed")}</p><button class="quiet" type="button" onClick=${again}>${t("app.retry")}</button></div>`}
      ${terms && html`<${Picker} terms=${terms.filter(({ slug }) => !effects.has(slug))} error=${errors.side_effects} onPick=${(slug) => set(slug, null)} />`}
      ${errors.side_effects && html`<p class="error" id="effect-error">${errors.side_effects}</p>`}
    </div>
  `;
}

function Picker({ terms, error, onPick }) {
  const groups = bySystem(terms);
  const option = (term) => html`<option value=${term.slug}>${nameOf(term)}</option>`;
  const group = ([system, members]) => html`<optgroup label=${word("body", system)}>${members.map(option)}</optgroup>`;
  const pick = ({ target }) => {
    onPick(target.value);
    target.value = "";
  };
  return html`
    <select id="effect" aria-invalid=${error ? "true" : null} aria-describedby=${error ? "effect-error" : null} onChange=${pick}>
      <option value="">${t("feedback.effects_add")}</option>
      ${[...groups].sort().map(group)}
    </select>
  `;
}

function Effect({ slug, name, severity, error, onChange, onRemove }) {
  const box = useRef(null);
  useEffect(() => void (severity === null && box.current.querySelector("input").focus()), []); // the next thing to say
  const label = html`<bdi class="strong">${name}</bdi><span class="unseen">${t("feedback.effect_severity")}</span>`;
  return html`
    <div class="effect" ref=${box}>
      <${Scale} name=${`severity-${slug}`} label=${label} words="feedback.severity" value=${severity} error=${error} onChange=${onChange} />
      <button class="plain round" type="button" aria-label=${t("feedback.remove", { effect: name })} onClick=${onRemove}><${Icon} name="close" /></button>
    </div>
  `;
}

function bySystem(terms) {
  const groups = new Map();
  for (const term of terms) groups.set(term.body_system, [...(groups.get(term.body_system) ?? []), term]);
  return groups;
}
