// What a screen says while it waits, when it has nothing and when something failed.

import { explain } from "../errors.js";
import { t } from "../i18n.js";
import { html } from "../ui.js";
import { Icon } from "./icon.js";

/** Grey cards where the content will be, so that nothing jumps when it comes. */
export function Waiting({ cards = 2 }) {
  return html`
    <div class="waiting" role="status">
      <span class="unseen">${t("app.loading")}</span>
      ${Array.from({ length: cards }, () => html`<div class="card skeleton" aria-hidden="true"><i /><i /><i /></div>`)}
    </div>
  `;
}

export function Nothing({ icon = "leaf", title, hint }) {
  return html`
    <div class="nothing">
      <span class="medallion"><${Icon} name=${icon} /></span>
      <p class="strong">${title}</p>
      <p class="soft">${hint}</p>
    </div>
  `;
}

export function Problem({ failure, retry }) {
  return html`
    <div class="notice bad" role="alert">
      <p>${explain(failure)}</p>
      ${retry && html`<button class="quiet" type="button" onClick=${retry}>${t("app.retry")}</button>`}
    </div>
  `;
}

/** For a part beside what one came for: without a network it says so quietly, and comes by itself afterwards. */
export function ProblemBeside({ what, failure, retry }) {
  if (failure.code === "network") return html`<p class="card soft small">${t("app.when_back", { what })}</p>`;
  return html`<${Problem} failure=${failure} retry=${retry} />`;
}
