// A line over time as SVG. Its colours are the theme's, its text is the page's, and it turns around with the direction
// of reading, which a canvas would all have to be taught.

import { language } from "../preferences.js";
import { html, useEffect, useRef, useSignal } from "../ui.js";
import { DAY_MS, timeTicks } from "./time_axis.js";

const HEIGHT = 132;
const EDGE = { start: 68, end: 10, top: 12, bottom: 24 }; // in pixels at the usual size of text
const LABEL = 54; // a label of the time line needs as much room
const GAP_MS = 4 * DAY_MS; // longer without a report is shown as a gap

/**
 * `points`: `[{at, value, text, low?, high?}]`, oldest first, `at` in milliseconds; with `low` and `high` a band is drawn,
 * without them dots. `range` is `[lowest, highest]`, `rows` are the labelled lines `{value, text}`. `label` says it all.
 */
export function Chart({ points, days, until, range, rows, label }) {
  const box = useRef(null);
  const width = useWidth(box);
  const near = useSignal(null);
  const isBand = points[0]?.low !== undefined;
  const place = placement({ width, days, until, range });
  const follow = ({ clientX, currentTarget }) => {
    const left = currentTarget.getBoundingClientRect().left;
    const distance = ({ at }) => Math.abs(place.x(at) - (clientX - left));
    near.value = points.reduce((best, point) => (distance(point) <= distance(best) ? point : best));
  };
  const leave = ({ pointerType }) => pointerType === "mouse" && (near.value = null); // a finger leaves what it chose
  const shown = points.find(({ at }) => at === near.value?.at) ?? points.at(-1);
  return html`
    <figure class="chart" ref=${box}>
      ${width > 0 &&
      html`<svg width=${width} height=${place.height} role="img" aria-label=${label} onPointerDown=${follow} onPointerMove=${follow} onPointerLeave=${leave}>
        <${Grid} place=${place} rows=${rows} ticks=${timeTicks(days, until)} />
        ${isBand && html`<path class="band" d=${bandOf(points, place)} />`}
        ${isBand ? html`<path class="line" d=${lineOf(points, place)} />` : html`<${Dots} points=${points} place=${place} />`}
        <path class="guide" d=${`M${place.x(shown.at)} ${place.y(range[1])}V${place.y(range[0])}`} />
        <circle class="here" cx=${place.x(shown.at)} cy=${place.y(shown.value)} r="6" />
      </svg>`}
      <figcaption class="small">${shown.text}</figcaption>
    </figure>
  `;
}

function useWidth(box) {
  const width = useSignal(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => (width.value = Math.round(entry.contentRect.width)));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return width.value;
}

function placement({ width, days, until, range: [lowest, highest] }) {
  const scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  const [start, end, top, bottom] = [EDGE.start, EDGE.end, EDGE.top, EDGE.bottom].map((edge) => edge * scale);
  const height = HEIGHT * scale;
  const turned = language.value === "fa" ? (x) => width - x : (x) => x;
  const share = (at) => 1 - (until - at) / (days * DAY_MS);
  return {
    width, height, start, turned,
    room: LABEL * scale,
    bottom: height - bottom,
    x: (at) => turned(start + Math.max(0, share(at)) * (width - start - end)),
    y: (value) => height - bottom - ((value - lowest) / (highest - lowest)) * (height - top - bottom),
  };
}

function Grid({ place, rows, ticks }) {
  const { start, width, height, turned, x, y } = place;
  return html`
    <g class="grid" aria-hidden="true">
      ${rows.map(({ value }) => html`<path d=${`M${turned(start)} ${y(value)}H${turned(width)}`} />`)}
      ${rows.map(({ value, text }) => html`<text x=${turned(start - 8)} y=${y(value)} dominant-baseline="central" text-anchor="end">${text}</text>`)}
      ${apart(ticks, place).map(({ at, text }) => html`<text x=${x(at)} y=${height - 4} text-anchor="middle">${text}</text>`)}
    </g>
  `;
}

/** Of the ticks, newest first, those that leave each other room. */
function apart(ticks, { x, room }) {
  const kept = [];
  for (const tick of ticks) if (!kept.length || Math.abs(x(tick.at) - x(kept.at(-1).at)) >= room) kept.push(tick);
  return kept;
}

/** Dots, and between those that follow each other a line, broken where nothing was told for long. */
function Dots({ points, place }) {
  const pairs = points.slice(1).map((point, index) => [points[index], point]);
  const isGap = ([before, after]) => after.at - before.at > GAP_MS;
  return html`
    <path class="line" d=${pairs.filter((pair) => !isGap(pair)).map((pair) => lineOf(pair, place)).join("")} />
    <path class="gap" d=${pairs.filter(isGap).map((pair) => lineOf(pair, place)).join("")} />
    ${points.map(({ at, value }) => html`<circle class="dot" cx=${place.x(at)} cy=${place.y(value)} r="3.5" />`)}
  `;
}

const spot = (place, at, value) => `${place.x(at).toFixed(1)} ${place.y(value).toFixed(1)}`;
const lineOf = (points, place) => `M${points.map(({ at, value }) => spot(place, at, value)).join("L")}`;

function bandOf(points, place) {
  const above = points.map(({ at, high }) => spot(place, at, high));
  const below = points.map(({ at, low }) => spot(place, at, low)).reverse();
  return `M${[...above, ...below].join("L")}Z`;
}
