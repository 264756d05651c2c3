import { get } from "./api.js";
import { el, icon, replace } from "./dom.js";
import { explain } from "./errors.js";
import { day, t } from "./i18n.js";
import { nothing, problem, waiting } from "./notices.js";
import { severity } from "./severity.js";

/** The active diagnoses of the patient, or of the patients in the practitioner's care. */
export function diagnosesScreen({ me }) {
  const isPatient = me.role === "patient";
  let found = [];
  let count = 0;
  let page = 0;
  let isAsking = false;
  let failure = null;

  const element = el("div", { class: "screen" });
  more();
  return { element, relabel };

  async function more() {
    isAsking = true;
    draw();
    try {
      const answer = await get(`/api/diagnoses/?status=active&page=${page + 1}`);
      [found, count, page, failure] = [[...found, ...answer.results], answer.count, page + 1, null];
    } catch (error) {
      failure = error;
    }
    isAsking = false;
    draw();
  }

  /** The names of conditions come from the server in the reader's language. */
  function relabel() {
    [found, page] = [[], 0];
    more();
  }

  function draw() {
    const title = t(isPatient ? "diagnoses.title" : "diagnoses.title_clinic");
    replace(
      element,
      el("h1", {}, title),
      page > 0 && count > 0 && el("p", { class: "soft lead" }, t("diagnoses.count", { count })),
      el("ul", { class: "cards plain-list" }, found.map(card)),
      page > 0 && !found.length && nothing(t("diagnoses.none"), t(`diagnoses.none_hint${isPatient ? "" : "_clinic"}`)),
      isAsking && waiting(),
      failure && problem(explain(failure), more),
      !isAsking && !failure && found.length < count && button(),
    );
  }

  function button() {
    return el("button", { class: "quiet wide", type: "button", onclick: more }, t("diagnoses.more"));
  }

  function card(diagnosis) {
    const { id, condition_name, patient_name, practitioner, imbalance, created_at } = diagnosis;
    return el(
      "li",
      {},
      el(
        "a",
        { class: "card link", href: `#/diagnoses/${id}` },
        el(
          "div",
          { class: "grow" },
          el("h2", {}, el("bdi", {}, condition_name)),
          !isPatient && el("p", { class: "who" }, el("bdi", {}, patient_name)),
          el("div", { class: "facts" }, severity(diagnosis.severity), imbalance && el("span", {}, t(`mizaj.${imbalance}`))),
          el("p", { class: "soft small" }, [day(new Date(created_at)), isPatient && practitioner].filter(Boolean).join(" · ")),
        ),
        icon("forward"),
      ),
    );
  }
}
