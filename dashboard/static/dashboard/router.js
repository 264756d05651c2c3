// The address after the hash names the screen: one shell serves all of them, also without a network.

import { signal } from "./ui.js";

const current = () => location.hash || "#/";

export const address = signal(current());

addEventListener("hashchange", () => (address.value = current()));

/** The parts of `address` that `path` names (`#/diagnoses/:id`), or null when they do not fit. */
export function match(path, address) {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name);
  const values = new RegExp(`^${path.replace(/:\w+/g, "([^/]+)")}$`).exec(address);
  return values && Object.fromEntries(names.map((name, index) => [name, values[index + 1]]));
}
