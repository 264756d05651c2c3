// Builds elements. Data only ever becomes text or an attribute, never markup.

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["checked", "disabled", "value"]);

/** `el("p", { class: "note", onclick: f, style: { "--low": "40%" } }, "text", child)`; empty values are left out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(node, name, value);
  node.append(...present(children));
  return node;
}

export function replace(node, ...children) {
  node.replaceChildren(...present(children));
}

function set(node, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "style") for (const [key, text] of Object.entries(value)) node.style.setProperty(key, text);
  else if (PROPERTIES.has(name)) node[name] = value;
  else node.setAttribute(name, value === true ? "" : value);
}

function present(children) {
  return children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false);
}

const ICONS = {
  back: "M15 5l-7 7 7 7",
  forward: "M9 5l7 7-7 7",
  close: "M6 6l12 12M18 6L6 18",
  leave: "M10 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4M15 8l4 4-4 4M19 12H9",
  leaf: "M5 19c0-9 5-14 14-14 0 9-5 14-14 14ZM5 19l7-7",
  check: "M5 12.5l4.5 4.5L19 7.5",
  note: "M5 4h14v16l-7-4-7 4Z",
  alert: "M12 4l9 16H3ZM12 10v4M12 17.2v.1",
  gauge: "M4 17a8 8 0 1 1 16 0M12 17l4-6",
  talk: "M4 5h16v11H10l-5 4v-4H4Z",
};

/** A line drawing beside words, silent for screen readers; those that point along the line turn with it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", ["back", "forward", "leave"].includes(name) ? "icon turns" : "icon");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}
