import { html } from "../ui.js";

/** Short facts in one line with dots between them; each may run the other way than the page. */
export function Bits({ of }) {
  const words = of.filter(Boolean);
  return words.map((bit, index) => html`<span class="bit"><bdi>${bit}</bdi>${index < words.length - 1 && " ·\u00a0"}</span>`);
}
