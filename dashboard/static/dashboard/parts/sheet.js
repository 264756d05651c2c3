// The sheet that rises from below, a dialog. One at a time is open.

import { t } from "../i18n.js";
import { html, signal, useEffect, useRef } from "../ui.js";
import { Icon } from "./icon.js";

const opened = signal(null); // {draw, number}
const isHeld = signal(false);
let number = 0;

/** `draw()` gives the content. */
export function openSheet(draw) {
  isHeld.value = false;
  opened.value = { draw, number: ++number };
  enterHistory();
}

// A phone's button to go back closes the sheet: while one is open an entry of its own lies on top of the screen's.
let leaving = 0; // entries that were left by closing the sheet

function enterHistory() {
  if (!history.state?.sheet || leaving) history.pushState({ sheet: true }, "");
}

function leaveHistory() {
  if (!history.state?.sheet) return; // one went on to another screen
  leaving += 1;
  history.back();
}

addEventListener("popstate", () => {
  if (leaving) return void (leaving -= 1);
  if (!opened.value) return;
  if (isHeld.value) enterHistory();
  else closeSheet();
});

export function closeSheet() {
  document.querySelector("dialog.sheet")?.close();
}

/** While held it stays, whatever is tried: one should see how it ends. */
export function holdSheet(held) {
  isHeld.value = held;
}

/** To the first field that needs another value. */
export function leadToMistake() {
  const wrong = document.querySelector("dialog.sheet [aria-invalid=true]");
  (wrong?.matches("fieldset, div") ? wrong.querySelector("input, button") : wrong)?.focus();
  wrong?.scrollIntoView({ block: "center" });
}

export function SheetHost() {
  const sheet = opened.value;
  return sheet && html`<${Sheet} key=${sheet.number} draw=${sheet.draw} />`;
}

function Sheet({ draw }) {
  const dialog = useRef(null);
  useEffect(() => dialog.current.showModal(), []);
  const cancel = (event) => isHeld.value && event.preventDefault();
  const beside = ({ target }) => target === dialog.current && !isHeld.value && closeSheet();
  const close = () => {
    opened.value = null;
    leaveHistory();
    requestAnimationFrame(keepFocus);
  };
  return html`
    <dialog class="sheet" ref=${dialog} aria-labelledby="sheet-title" onCancel=${cancel} onClick=${beside} onClose=${close}>
      ${draw()}
    </dialog>
  `;
}

/** What opened the sheet may be gone by then: whoever uses the keyboard goes on from the screen, not from nowhere. */
function keepFocus() {
  if (document.activeElement === document.body) document.getElementById("main").focus({ preventScroll: true });
}

/** Where a page has taken the place of another, the button that led to it is gone: one goes on from the title. */
function takeFocus(heading) {
  if (document.activeElement !== document.body) return;
  heading.tabIndex = -1;
  heading.focus();
}

/** What it is, about what, and the button that closes it. */
export function SheetHeader({ title, about }) {
  const heading = useRef(null);
  useEffect(() => takeFocus(heading.current), []);
  return html`
    <header>
      <div class="grow">
        <h2 id="sheet-title" ref=${heading}>${title}</h2>
        ${about && html`<p class="soft">${about}</p>`}
      </div>
      <button class="plain round" id="sheet-close" type="button" aria-label=${t("sheet.close")} disabled=${isHeld.value} onClick=${closeSheet}>
        <${Icon} name="close" />
      </button>
    </header>
  `;
}
