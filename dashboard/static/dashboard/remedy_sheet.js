import { get } from "./api.js";
import { el, replace } from "./dom.js";
import { explain } from "./errors.js";
import { language, percent, t } from "./i18n.js";
import { nothing, problem, waiting } from "./notices.js";
import { newSheet, sheetHeader } from "./sheet.js";

const SIZE = { width: 360, height: 560 }; // of the usual picture, so that the sheet hardly moves when it arrives
const THEMES = ["light", "dark"];

/** Shows what all patients' reports say about the remedy `{slug, name}`: the picture, or that it is too early. */
export function openRemedy(remedy) {
  const sheet = newSheet();
  const body = el("div", { class: "sheet-body" });
  replace(sheet, el("div", { class: "sheet-page" }, sheetHeader({ title: t("remedy.title"), about: t("remedy.about") }), body));
  load();
  sheet.showModal();

  async function load() {
    replace(body, waiting());
    try {
      draw(await get(`/api/analytics/remedies/${remedy.slug}`));
    } catch (error) {
      fail(error);
    }
  }

  function draw(report) {
    if (!report.effectiveness) return replace(body, nothing(t("remedy.too_few", { remedy: remedy.name }), t("remedy.too_few_hint")));
    replace(body, el("figure", {}, picture(report), el("figcaption", { class: "soft small" }, t("remedy.legend"))));
  }

  /** In the reader's colours, also when they change while it is open. */
  function picture(report) {
    const [light, dark] = THEMES.map((theme) => `/api/analytics/remedies/${remedy.slug}/chart.svg?lang=${language()}&theme=${theme}`);
    const onerror = () => fail({ code: "unavailable" });
    return el(
      "picture",
      {},
      el("source", { srcset: dark, media: "(prefers-color-scheme: dark)" }),
      el("img", { ...SIZE, loading: "lazy", alt: words(report), onerror, src: light }),
    );
  }

  function fail(error) {
    replace(body, problem(explain(error), load));
  }
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
