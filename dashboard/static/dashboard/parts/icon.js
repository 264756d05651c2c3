import { html } from "../ui.js";

const PATHS = {
  back: "M15 5l-7 7 7 7",
  forward: "M9 5l7 7-7 7",
  down: "M5 9l7 7 7-7",
  close: "M6 6l12 12M18 6L6 18",
  leave: "M10 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4M15 8l4 4-4 4M19 12H9",
  leaf: "M5 19c0-9 5-14 14-14 0 9-5 14-14 14ZM5 19l7-7",
  check: "M5 12.5l4.5 4.5L19 7.5",
  note: "M5 4h14v16l-7-4-7 4Z",
  alert: "M12 4l9 16H3ZM12 10v4M12 17.2v.1",
  gauge: "M4 17a8 8 0 1 1 16 0M12 17l4-6",
  talk: "M4 5h16v11H10l-5 4v-4H4Z",
  home: "M4 11l8-7 8 7v8a1 1 0 0 1-1 1h-4v-6H9v6H5a1 1 0 0 1-1-1Z",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c0-4 3-6 6.5-6s6.5 2 6.5 6M16 4.5a3.5 3.5 0 0 1 0 6.5M17.5 14.5c2.5.6 4 2.6 4 5.5",
  install: "M12 4v10M8 10.5l4 4 4-4M5 19h14",
  away: "M4 12a8 8 0 1 0 2.3-5.6M4 4v4h4M12 8v4l3 2",
  bell: "M6 17V11a6 6 0 0 1 12 0v6l1.5 1h-15ZM10 20.5h4",
  history: "M4 19h16M5 14l4-4 4 3 6-7M19 6v4M19 6h-4",
  swap: "M5 9h13M14 5l4 4-4 4M19 16H6M10 12l-4 4 4 4",
  plus: "M12 5v14M5 12h14",
  person: "M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5c0-4.5 3.5-7 7.5-7s7.5 2.5 7.5 7",
  improving: "M4 17l6-6 4 4 6-8M20 7h-5M20 7v5",
  declining: "M4 7l6 6 4-4 6 8M20 17h-5M20 17v-5",
  stable: "M4 12h16M15 7l5 5-5 5",
  new: "M12 4v4M12 16v4M4 12h4M16 12h4M6.5 6.5l2.5 2.5M15 15l2.5 2.5M17.5 6.5L15 9M9 15l-2.5 2.5",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
};
// Those that point along the line, or draw time as a line, turn with the direction of reading.
const TURNING = new Set(["back", "forward", "leave", "improving", "declining", "stable", "history"]);

/** A line drawing beside words, silent for screen readers. */
export function Icon({ name }) {
  return html`<svg class=${TURNING.has(name) ? "icon turns" : "icon"} viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;
}
