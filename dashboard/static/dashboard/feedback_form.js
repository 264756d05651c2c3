import { nameOf, sideEffects } from "./catalogue.js";
import { el, icon, replace } from "./dom.js";
import { draftFor, sendDraft } from "./drafts.js";
import { explain, fieldMessage } from "./errors.js";
import { t, word } from "./i18n.js";
import { scale } from "./scale.js";
import { newSheet, sheetHeader } from "./sheet.js";

export { forgetDrafts } from "./drafts.js";

const QUESTIONS = ["rating", "symptom_improvement", "compliance"];
const LONGEST_COMMENT = 500;
const SEVERE = 4;

/** Opens the sheet for `{id, name}`; what was typed before is still there. `onSent` runs when the server has it. */
export function openFeedback({ recommendation, onSent }) {
  const draft = draftFor(recommendation.id);
  // While the answer is awaited it stays: one should see how it ends.
  const sheet = newSheet({ mayClose: () => !isSending });
  let effects = null; // null while loading, [] and `effectsFailure` when that failed
  let effectsFailure = null;
  let errors = {};
  let failure = null;
  let isSending = false;

  draw();
  sheet.showModal();
  loadEffects();

  async function loadEffects() {
    [effects, effectsFailure] = [null, null];
    try {
      effects = await sideEffects();
    } catch (error) {
      [effects, effectsFailure] = [[], error];
    }
    draw();
  }

  function draw() {
    const focused = sheet.contains(document.activeElement) ? document.activeElement.id : "";
    const scroll = sheet.querySelector(".sheet-body")?.scrollTop ?? 0;
    replace(sheet, form());
    sheet.querySelector(".sheet-body").scrollTop = scroll;
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  function form() {
    const about = t("feedback.about", { remedy: recommendation.name });
    return el(
      "form",
      { class: "sheet-page", novalidate: true, onsubmit: submit },
      sheetHeader({ title: t("feedback.title"), about, disabled: isSending }),
      el("div", { class: "sheet-body" }, QUESTIONS.map(question), effectsPart(), comment()),
      el(
        "footer",
        {},
        failure && whatFailed(),
        el("button", { class: "primary", id: "sheet-send", disabled: isSending }, t(isSending ? "feedback.sending" : "feedback.submit")),
      ),
    );
  }

  function whatFailed() {
    return el(
      "div",
      { class: "notice bad", role: "alert" },
      el("p", {}, told(failure)),
      isLost(failure) && el("p", { class: "small" }, t("feedback.kept")),
    );
  }

  function question(field) {
    const key = field === "symptom_improvement" ? "improvement" : field;
    const isOptional = field === "compliance";
    const choose = (value) => {
      draft[field] = value;
      delete errors[field];
      draw();
    };
    return scale({
      name: field,
      label: t(`feedback.${key}`),
      low: t(`feedback.${key}_low`),
      high: t(`feedback.${key}_high`),
      value: draft[field],
      error: errors[field],
      isOptional,
      onchange: choose,
      onclear: isOptional && (() => choose(null)),
    });
  }

  function effectsPart() {
    const chosen = [...draft.effects].map(([slug, severity]) => chosenEffect(slug, severity));
    const isSevere = [...draft.effects.values()].some((severity) => severity >= SEVERE);
    return el(
      "div",
      { class: "field effects" },
      el("label", { for: "effect" }, t("feedback.effects"), el("span", { class: "soft small" }, ` (${t("feedback.optional")})`)),
      chosen,
      isSevere && el("p", { class: "notice warn", role: "status" }, t("feedback.severe")),
      effects === null && el("p", { class: "soft small" }, t("feedback.effects_loading")),
      effectsFailure && retryEffects(),
      effects?.length && picker(),
      errors.side_effects && el("p", { class: "error" }, errors.side_effects),
    );
  }

  function picker() {
    const left = effects.filter(({ slug }) => !draft.effects.has(slug));
    const groups = bySystem(left);
    const option = (effect) => el("option", { value: effect.slug }, nameOf(effect));
    const group = ([system, members]) => el("optgroup", { label: word("body", system) }, members.map(option));
    const onchange = ({ target }) => setEffect(target.value, null);
    const first = el("option", { value: "" }, t("feedback.effects_add"));
    return el("select", { id: "effect", onchange }, first, [...groups].sort().map(group));
  }

  function retryEffects() {
    const retry = { class: "quiet", type: "button", onclick: loadEffects };
    return el("div", { class: "notice" }, el("p", {}, t("feedback.effects_failed")), el("button", retry, t("app.retry")));
  }

  function chosenEffect(slug, severity) {
    const term = effects?.find((effect) => effect.slug === slug);
    const effect = term ? nameOf(term) : slug;
    const remove = { class: "plain round", type: "button", "aria-label": t("feedback.remove", { effect }) };
    return el(
      "div",
      { class: "effect" },
      scale({
        name: `severity-${slug}`,
        label: [el("bdi", { class: "strong" }, effect), el("span", { class: "unseen" }, t("feedback.effect_severity"))],
        low: t("feedback.severity_low"),
        high: t("feedback.severity_high"),
        value: severity,
        error: errors[slug],
        onchange: (value) => setEffect(slug, value),
      }),
      el("button", { ...remove, onclick: () => setEffect(slug) }, icon("close")),
    );
  }

  /** Without a severity the effect is taken away. */
  function setEffect(slug, severity) {
    if (severity === undefined) draft.effects.delete(slug);
    else draft.effects.set(slug, severity);
    delete errors[slug];
    draw();
    const isNew = severity === null;
    if (isNew) document.getElementById(`severity-${slug}-1`).focus();
  }

  function comment() {
    const counter = el("p", { class: "counter small", id: "comment-left" });
    const area = el("textarea", { id: "comment", rows: 3, dir: "auto", value: draft.comment, "aria-describedby": "comment-left comment-hint" });
    const count = () => {
      draft.comment = area.value;
      const left = LONGEST_COMMENT - lengthOf(draft.comment);
      counter.textContent = t(left < 0 ? "feedback.over" : "feedback.left", { count: Math.abs(left) });
      counter.classList.toggle("error", left < 0);
      area.setAttribute("aria-invalid", String(left < 0));
    };
    area.addEventListener("input", count);
    count();
    return el(
      "div",
      { class: "field" },
      el("label", { for: "comment" }, t("feedback.comment"), el("span", { class: "soft small" }, ` (${t("feedback.optional")})`)),
      area,
      el("div", { class: "ends soft small" }, el("span", { id: "comment-hint" }, t("feedback.comment_hint")), counter),
      errors.comment && el("p", { class: "error" }, errors.comment),
    );
  }

  async function submit(event) {
    event.preventDefault();
    if (isSending) return;
    errors = mistakes(draft);
    failure = null;
    if (Object.keys(errors).length || lengthOf(draft.comment) > LONGEST_COMMENT) return refuse();
    isSending = true;
    draw();
    try {
      await sendDraft(draft);
    } catch (error) {
      [failure, isSending] = [error, false];
      return takeErrors(error.fields);
    }
    isSending = false;
    sheet.close();
    onSent();
  }

  function takeErrors(fields) {
    for (const [field, given] of Object.entries(fields)) errors[field] = fieldMessage(given);
    refuse();
  }

  /** Draws, and leads to the first field that needs another value. */
  function refuse() {
    draw();
    const wrong = sheet.querySelector("[aria-invalid=true]");
    (wrong?.matches("fieldset") ? wrong.querySelector("input") : wrong)?.focus();
    wrong?.scrollIntoView({ block: "center" });
  }

  function told(error) {
    return Object.keys(error.fields).length ? t("feedback.check") : explain(error);
  }
}

function mistakes(draft) {
  const unchosen = ["rating", "symptom_improvement"].filter((field) => !draft[field]);
  const unmeasured = [...draft.effects].filter(([, severity]) => !severity).map(([slug]) => slug);
  return Object.fromEntries([...unchosen, ...unmeasured].map((field) => [field, t("feedback.choose")]));
}

/** As the server counts: characters, not UTF-16 units. */
const lengthOf = (text) => [...text].length;
const isLost = ({ status }) => status === 0 || status >= 500;

function bySystem(effects) {
  const groups = new Map();
  for (const effect of effects) groups.set(effect.body_system, [...(groups.get(effect.body_system) ?? []), effect]);
  return groups;
}
