import { ApiError } from "../api.js";
import { useResource } from "../resource.js";
import { html } from "../ui.js";
import { Problem, Waiting } from "./notices.js";

/** A component whose module is fetched when it is first drawn, so that the first visit stays small; `load()` gives it. */
export const later = (load) => (properties) => html`<${Later} load=${load} properties=${properties} />`;

function Later({ load, properties }) {
  const { data: Part, failure, again } = useResource(() => load().catch(unreachable));
  if (Part) return html`<${Part} ...${properties} />`;
  return html`<div class="screen">${failure ? html`<${Problem} failure=${failure} retry=${again} />` : html`<${Waiting} />`}</div>`;
}

function unreachable() {
  throw new ApiError("network");
}
