import { t, word } from "../i18n.js";
import { html } from "../ui.js";
import { TermField } from "./term_field.js";

const about = ({ kind, scientific_name }) => [word("kind", kind), scientific_name];

/** Chooses a remedy (as the catalogue has it). `forbidden` maps slugs to the cause for which they must not be given. */
export function RemedyField({ value, error, forbidden, onChoose }) {
  const why = forbidden && new Map([...forbidden].map(([slug, cause]) => [slug, t("prescribe.forbidden", { cause })]));
  return html`<${TermField} id="remedy" path="/api/remedies/" icon="leaf" label=${t("prescribe.remedy")} hint=${t("term.hint")} none=${t("prescribe.no_remedy")} about=${about} value=${value} error=${error} forbidden=${why} onChoose=${onChoose} />`;
}
