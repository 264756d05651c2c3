import { t, word } from "../i18n.js";
import { html } from "../ui.js";
import { TermField } from "./term_field.js";

const about = ({ kind, scientific_name }) => [word("kind", kind), scientific_name];

/**
 * Chooses a remedy (as the catalogue has it) in place of the one with the slug `replaced`, if any. `forbidden` maps slugs to
 * the cause for which they must not be given.
 */
export function RemedyField({ value, error, forbidden = [], replaced, onChoose }) {
  const why = new Map([...forbidden].map(([slug, cause]) => [slug, t("prescribe.forbidden", { cause })]));
  if (replaced) why.set(replaced, t("prescribe.is_replaced"));
  return html`<${TermField} id="remedy" path="/api/remedies/" icon="leaf" label=${t("prescribe.remedy")} hint=${t("term.hint")} none=${t("prescribe.no_remedy")} about=${about} value=${value} error=${error} forbidden=${why} onChoose=${onChoose} />`;
}
