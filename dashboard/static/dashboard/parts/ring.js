import { percent } from "../i18n.js";
import { html } from "../ui.js";

const RADIUS = 26;
const ROUND = 2 * Math.PI * RADIUS;

/** A share as a ring, with the range it may lie in behind it. The words stand beside it. */
export function Ring({ value, interval }) {
  const [low, high] = interval;
  const arc = (from, to) => ({ strokeDasharray: `${(to - from) * ROUND} ${ROUND}`, strokeDashoffset: `${-from * ROUND}` });
  return html`
    <div class="ring">
      <svg viewBox="0 0 64 64" aria-hidden="true">
        <circle class="track" cx="32" cy="32" r=${RADIUS} />
        <circle class="range" cx="32" cy="32" r=${RADIUS} style=${arc(low, high)} />
        <circle class="value" cx="32" cy="32" r=${RADIUS} style=${arc(0, value)} />
      </svg>
      <strong>${percent(value)}</strong>
    </div>
  `;
}
