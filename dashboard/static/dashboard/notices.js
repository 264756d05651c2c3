// What a screen says while it waits, when it has nothing and when something failed.

import { el, icon } from "./dom.js";
import { t } from "./i18n.js";

export const waiting = () =>
  el("div", { class: "waiting", role: "status" }, el("span", { class: "spinner", "aria-hidden": "true" }), t("app.loading"));

export const nothing = (title, hint) =>
  el("div", { class: "nothing" }, icon("leaf"), el("p", { class: "strong" }, title), el("p", { class: "soft" }, hint));

export const problem = (message, retry) =>
  el(
    "div",
    { class: "notice bad", role: "alert" },
    el("p", {}, message),
    retry && el("button", { class: "quiet", type: "button", onclick: retry }, t("app.retry")),
  );
