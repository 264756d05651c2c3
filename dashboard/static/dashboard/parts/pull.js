import { t } from "../i18n.js";
import { askAgain } from "../pull.js";
import { html, useEffect, useSignal } from "../ui.js";
import { announce } from "./announcer.js";
import { Icon } from "./icon.js";

const FAR_PX = 140; // how far the finger has to go: nobody does by mistake
const LEAST_MS = 600; // an answer that is there at once is seen, too

/** Pull to refresh. Screens keep themselves up to date; this is for those who want to see it happen. */
export function PullToRefresh() {
  const pull = useSignal({ share: 0, isBusy: false });
  useEffect(() => follow(pull), []);
  const { share, isBusy } = pull.value;
  if (!share && !isBusy) return null;
  return html`
    <div class=${isBusy ? "pull busy" : "pull"} role="status" style=${{ "--pull": isBusy ? 1 : share }}>
      <${Icon} name="away" />
      <span class="unseen">${isBusy ? t("app.refreshing") : ""}</span>
    </div>
  `;
}

/** Follows one finger that goes down from the top of the page, outside of a sheet. */
function follow(pull) {
  let from = null;
  const begin = ({ touches: [touch, other] }) => {
    const mayBegin = !other && scrollY <= 0 && !pull.peek().isBusy && !document.querySelector("dialog[open]");
    from = mayBegin ? { x: touch.clientX, y: touch.clientY } : null;
  };
  const move = ({ touches: [touch, other] }) => {
    if (!from) return;
    const [across, down] = [Math.abs(touch.clientX - from.x), touch.clientY - from.y];
    if (other || scrollY > 0 || across > Math.max(down, 10)) return void leave();
    pull.value = { share: Math.min(1, Math.max(0, down / FAR_PX)), isBusy: false };
  };
  const leave = () => {
    from = null;
    pull.value = { share: 0, isBusy: false };
  };
  const end = async () => {
    const isFar = from && pull.peek().share === 1;
    if (!isFar) return from && leave();
    from = null;
    pull.value = { share: 1, isBusy: true };
    await Promise.all([askAgain(), new Promise((rested) => setTimeout(rested, LEAST_MS))]);
    pull.value = { share: 0, isBusy: false };
    announce(t("app.refreshed"));
  };
  const parts = { touchstart: begin, touchmove: move, touchend: end, touchcancel: leave };
  for (const [type, part] of Object.entries(parts)) addEventListener(type, part, { passive: true });
  return () => Object.entries(parts).forEach(([type, part]) => removeEventListener(type, part));
}
