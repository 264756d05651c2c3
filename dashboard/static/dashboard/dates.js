// Days without a time, as `YYYY-MM-DD` and in the parts of a calendar.

const DAY_MS = 86_400_000;
const FIRST_YEAR = { gregory: 0, persian: 621 }; // of the Gregorian calendar, in which the calendar's year 0 begins

const formats = new Map();

/** `{year, month, day}` of a UTC time, in a calendar that browsers know ("gregory", "persian"). */
function partsAt(time, calendar) {
  if (!formats.has(calendar)) {
    const options = { year: "numeric", month: "numeric", day: "numeric", timeZone: "UTC" };
    formats.set(calendar, new Intl.DateTimeFormat(`en-u-nu-latn-ca-${calendar}`, options));
  }
  const parts = Object.fromEntries(formats.get(calendar).formatToParts(time).map(({ type, value }) => [type, parseInt(value, 10)]));
  return { year: parts.year, month: parts.month, day: parts.day };
}

export const partsOf = (iso, calendar) => partsAt(new Date(`${iso}T00:00Z`), calendar);

/** The day as `YYYY-MM-DD`, or null when the calendar has none of these numbers. */
export function isoOf({ year, month, day }, calendar) {
  if (![year, month, day].every(Number.isInteger) || year < 1 || month < 1 || month > 12 || day < 1 || day > 31) return null;
  const about = Date.UTC(year + FIRST_YEAR[calendar], 0, 1) + (month - 1 + (calendar === "persian" ? 2.6 : 0)) * 30.44 * DAY_MS;
  // A month begins within a few days of where it would if all were as long.
  for (let time = Math.round(about / DAY_MS) * DAY_MS - 4 * DAY_MS, last = time + 44 * DAY_MS; time <= last; time += DAY_MS) {
    const found = partsAt(time, calendar);
    if (found.year === year && found.month === month && found.day === day) return new Date(time).toISOString().slice(0, 10);
  }
  return null;
}

/** The names of the twelve months, in a language. */
export function monthNames(calendar, locale) {
  const names = new Intl.DateTimeFormat(`${locale}-u-ca-${calendar}`, { month: "long", timeZone: "UTC" });
  return Array.from({ length: 12 }, (_, index) => names.format(new Date(`${isoOf({ year: calendar === "persian" ? 1400 : 2000, month: index + 1, day: 1 }, calendar)}T00:00Z`)));
}

/** The text with the digits that a reader of Persian types as Latin ones. */
export const latinDigits = (text) => text.replace(/[\u06f0-\u06f9\u0660-\u0669]/g, (digit) => String(digit.charCodeAt(0) & 0xf));

/** Of digits in any script that a reader of Persian types. */
export function numberIn(text) {
  const latin = latinDigits(text).trim();
  return /^\d{1,4}$/.test(latin) ? Number(latin) : NaN;
}
