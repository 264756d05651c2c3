import { get } from "../api.js";
import { percent, t } from "../i18n.js";
import { colours, language } from "../preferences.js";
import { useResource } from "../resource.js";
import { html, useSignal } from "../ui.js";
import { Nothing, Problem, Waiting } from "./notices.js";
import { openSheet, SheetHeader } from "./sheet.js";

const SIZE = { width: 360, height: 560 }; // of the usual picture, so that the sheet hardly moves when it arrives

/** Shows what all patients' reports say about the remedy `{slug, name}`: the picture, or that it is too early. */
export function openRemedy(remedy) {
  openSheet(() => html`<${RemedySheet} ...${remedy} />`);
}

function RemedySheet({ slug, name }) {
  const { data, failure, again } = useResource(() => get(`/api/analytics/remedies/${slug}`));
  return html`
    <div class="sheet-page">
      <${SheetHeader} title=${t("remedy.title")} about=${t("remedy.about")} />
      <div class="sheet-body">
        ${failure && html`<${Problem} failure=${failure} retry=${again} />`}
        ${!data && !failure && html`<${Waiting} cards=${1} />`}
        ${data && !failure && (data.effectiveness ? html`<${Picture} report=${data} slug=${slug} />` : html`<${Nothing} title=${t("remedy.too_few", { remedy: name })} hint=${t("remedy.too_few_hint")} />`)}
      </div>
    </div>
  `;
}

/** In the reader's language and colours, also when they change while it is open. */
function Picture({ report, slug }) {
  const isLost = useSignal(false);
  const address = `/api/analytics/remedies/${slug}/chart.svg?lang=${language.value}&theme=${colours.value}`;
  if (isLost.value) return html`<${Problem} failure=${{ status: 503 }} retry=${() => (isLost.value = false)} />`;
  return html`
    <figure>
      <img ...${SIZE} alt=${words(report)} src=${address} onError=${() => (isLost.value = true)} />
      <figcaption class="soft small">${t("remedy.legend")}</figcaption>
    </figure>
  `;
}

/** The picture in sentences. */
function words({ remedy_name, effectiveness, by_mizaj }) {
  const mizajes = by_mizaj.map((part) => said(part.mizaj_name, part.effectiveness));
  return [said(remedy_name, effectiveness), ...mizajes].join(" ");
}

function said(subject, { effectiveness_score: score, interval, sample_size: count }) {
  const [low, high] = interval.map(percent);
  return t("remedy.said", { subject, score: percent(score), low, high, count });
}
