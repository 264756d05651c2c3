// Every text, number and date in the reader's language. Whatever draws with these redraws when the language changes.

import { monthNames } from "./dates.js";
import { calendar, language } from "./preferences.js";
import en from "./translations/en.js";
import fa from "./translations/fa.js";

const TEXTS = { en, fa };
const LOCALES = { en: "en-GB", fa: "fa-IR" };

/** The text of `key`. Values replace `{name}`, a list of them one after the other; `count` chooses the plural form. */
export function t(key, values = {}) {
  const entry = TEXTS[language.value][key] ?? en[key] ?? key;
  const text = typeof entry === "string" ? entry : (entry[plural(values.count)] ?? entry.other);
  return text.replace(/\{(\w+)\}/g, (_, name) => shown(values[name]));
}

export const has = (key) => key in en;

/** The text of `key.value`, or the value itself for a word that is newer than this page. */
export const word = (key, value) => (has(`${key}.${value}`) ? t(`${key}.${value}`) : value.replaceAll(/[_-]/g, " "));

export const number = (value) => format("NumberFormat", { maximumFractionDigits: 1 }).format(value);
export const plainNumber = (value) => format("NumberFormat", { useGrouping: false }).format(value);
export const percent = (value) => format("NumberFormat", { style: "percent" }).format(value);
export const points = (value) =>
  format("NumberFormat", { maximumFractionDigits: 1, signDisplay: "always" }).format(value * 100);
export const list = (words) => format("ListFormat", { type: "conjunction" }).format(words);
export const day = (date) => dated({ day: "numeric", month: "long", year: "numeric" }).format(date);
export const weekday = (date) => dated({ weekday: "long", day: "numeric", month: "long" }).format(date);
export const shortDay = (date) => dated({ day: "numeric", month: "short" }).format(date);
export const monthName = (date) => dated({ month: "short" }).format(date);
export const clock = (date) => dated({ hour: "2-digit", minute: "2-digit" }).format(date);

/** 1 on the first of a month of the reader's calendar. */
export const dayOfMonth = (date) => Number(new Intl.DateTimeFormat(`en-u-nu-latn-ca-${calendar.value}`, { day: "numeric" }).format(date));

/** The time of today, or the day and the time. */
export function moment(date) {
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? clock(date) : dated({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).format(date);
}

/** Of the year of the reader's calendar. */
export const months = () => monthNames(calendar.value, LOCALES[language.value]);

/** Makes the formats that every screen needs, one at a time: each costs a phone some milliseconds, which it has while it waits. */
export function prepareFormats() {
  const now = new Date();
  for (const make of [() => percent(0), () => number(0), () => weekday(now), () => day(now), () => moment(now), () => plural(0)]) setTimeout(make);
}

/** The `dir` of a field for words of either language: theirs, and the page's while there are none. */
export const directionOf = (typed) => (typed ? "auto" : null);

const formats = new Map();
const dated = (options) => format("DateTimeFormat", options, `-u-ca-${calendar.value}`);

function format(kind, options = {}, extension = "") {
  const locale = LOCALES[language.value] + extension;
  const key = `${kind} ${locale} ${JSON.stringify(options)}`;
  if (!formats.has(key)) formats.set(key, new Intl[kind](locale, options));
  return formats.get(key);
}

const plural = (count) => format("PluralRules").select(count ?? 0);

// Words from the data may run the other way: U+2068 and U+2069 keep them from turning the sentence around.
function shown(value) {
  if (typeof value === "number") return number(value);
  if (Array.isArray(value)) return value.map(shown).join(language.value === "fa" ? "، " : ", ");
  return value === undefined ? "" : `\u2068${value}\u2069`;
}
