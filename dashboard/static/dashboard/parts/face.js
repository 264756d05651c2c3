import { html } from "../ui.js";

// From a frown to a smile: how far the corners of the mouth lie from its middle, and where it begins.
const MOUTHS = { 1: "M8 17c1.6-3 6.4-3 8 0", 2: "M8.5 16.3c1.5-1.6 5.5-1.6 7 0", 3: "M8.5 15.5h7", 4: "M8.5 14.5c1.5 1.9 5.5 1.9 7 0", 5: "M8 14c1.2 4 6.8 4 8 0Z" };

/** A face for 1-5, beside words. */
export function Face({ value }) {
  return html`
    <svg class="face" viewBox="0 0 24 24" aria-hidden="true">
      <circle cx="12" cy="12" r="9.5" />
      <path d=${MOUTHS[value]} />
      <path class="eyes" d="M9 9.5v.8M15 9.5v.8" />
    </svg>
  `;
}
