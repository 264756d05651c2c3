import { el } from "./dom.js";
import { number, t } from "./i18n.js";

const VALUES = [1, 2, 3, 4, 5];

/** One to five, worded at its ends. `onclear` makes it optional; `error` is shown below. */
export function scale({ name, label, low, high, value, error, isOptional, onchange, onclear }) {
  const errorId = `${name}-error`;
  const ends = { 1: low, 5: high };
  const option = (choice) => {
    const id = `${name}-${choice}`;
    const meaning = ends[choice];
    const spoken = t(meaning ? "feedback.option_end" : "feedback.option", { value: choice, meaning });
    const attributes = { type: "radio", id, name, value: String(choice), checked: value === choice, "aria-label": spoken };
    return [el("input", { ...attributes, onchange: () => onchange(choice) }), el("label", { for: id }, number(choice))];
  };
  return el(
    "fieldset",
    { class: "scale", "aria-describedby": error ? errorId : null, "aria-invalid": error ? "true" : null },
    el("legend", {}, label, isOptional && el("span", { class: "soft small" }, ` (${t("feedback.optional")})`)),
    el("div", { class: "segments five" }, VALUES.map(option)),
    el(
      "div",
      { class: "ends soft small", "aria-hidden": "true" },
      el("span", {}, low),
      onclear && value && el("button", { class: "plain", type: "button", onclick: onclear }, t("feedback.clear")),
      el("span", {}, high),
    ),
    error && el("p", { class: "error", id: errorId }, error),
  );
}
