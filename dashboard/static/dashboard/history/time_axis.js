// Where the time line of a chart is labelled, in the reader's calendar.

import { dayOfMonth, monthName, shortDay } from "../i18n.js";

export const DAY_MS = 86_400_000;
const MOST_MONTHS = 5;

/** `[{at, text}]` for the `days` until `until` (milliseconds): weeks in a short time, else the first days of months. */
export function timeTicks(days, until) {
  const back = Array.from({ length: days }, (_, ago) => new Date(until - ago * DAY_MS));
  if (days <= 31) return back.filter((_, ago) => ago % 7 === 3).map((date) => ({ at: date.getTime(), text: shortDay(date) }));
  const starts = back.filter((date) => dayOfMonth(date) === 1);
  const every = Math.ceil(starts.length / MOST_MONTHS);
  return starts.filter((_, index) => index % every === 0).map((date) => ({ at: date.getTime(), text: monthName(date) }));
}
