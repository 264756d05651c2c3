// The sheet that rises from below, a dialog. One at a time is open.

import { el, icon } from "./dom.js";
import { t } from "./i18n.js";

let open = null;

/** An empty sheet; fill it, then `showModal()`. While `mayClose()` is false it stays, whatever is tried. */
export function newSheet({ mayClose = () => true } = {}) {
  closeSheet();
  const sheet = el("dialog", { class: "sheet", "aria-labelledby": "sheet-title", oncancel: cancel, onclose: gone });
  sheet.addEventListener("click", ({ target }) => target === sheet && mayClose() && sheet.close());
  document.body.append(sheet);
  open = sheet;
  return sheet;

  function cancel(event) {
    if (!mayClose()) event.preventDefault();
  }

  function gone() {
    sheet.remove();
    if (open === sheet) open = null;
  }
}

export function closeSheet() {
  open?.close();
}

/** What it is, about what, and the button that closes it. */
export function sheetHeader({ title, about, disabled }) {
  const close = { class: "plain round", type: "button", id: "sheet-close", "aria-label": t("sheet.close") };
  return el(
    "header",
    {},
    el("div", { class: "grow" }, el("h2", { id: "sheet-title" }, title), about && el("p", { class: "soft" }, about)),
    el("button", { ...close, disabled, onclick: closeSheet }, icon("close")),
  );
}
