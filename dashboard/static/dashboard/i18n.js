// Every text, number and date in the reader's language. Components ask at the moment they draw.

import en from "./translations/en.js";
import fa from "./translations/fa.js";

const KEY = "avicenna.language";
const LANGUAGES = {
  en: { texts: en, dir: "ltr", numbers: "en-GB", dates: "en-GB" },
  fa: { texts: fa, dir: "rtl", numbers: "fa-IR", dates: "fa-IR-u-ca-persian" },
};

let current = sessionStorage.getItem(KEY) ?? (document.documentElement.lang.startsWith("fa") ? "fa" : "en");
const changes = new EventTarget();

export const language = () => current;
export const otherLanguage = () => (current === "fa" ? "en" : "fa");
export const wasChosen = () => sessionStorage.getItem(KEY) !== null;
export const onLanguageChange = (callback) => changes.addEventListener("change", callback);

/** `chosen` is false when the account's language is only taken over. */
export function setLanguage(code, { chosen }) {
  if (chosen) sessionStorage.setItem(KEY, code);
  if (code === current) return;
  current = code;
  applyLanguage();
  changes.dispatchEvent(new Event("change"));
}

export function applyLanguage() {
  document.documentElement.lang = current;
  document.documentElement.dir = LANGUAGES[current].dir;
  document.title = t("app.name");
}

/** The text of `key`. Values replace `{name}`; `count` chooses the plural form. */
export function t(key, values = {}) {
  const entry = LANGUAGES[current].texts[key] ?? en[key] ?? key;
  const text = typeof entry === "string" ? entry : entry[plural(values.count)] ?? entry.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => shown(values[name]));
}

export const has = (key) => key in en;

/** The text of `key.value`, or the value itself for a word that is newer than this page. */
export const word = (key, value) => (has(`${key}.${value}`) ? t(`${key}.${value}`) : value.replaceAll(/[_-]/g, " "));

export const number = (value) => format("NumberFormat", "numbers", { maximumFractionDigits: 1 }).format(value);
export const percent = (value) => format("NumberFormat", "numbers", { style: "percent" }).format(value);
export const points = (value) =>
  format("NumberFormat", "numbers", { maximumFractionDigits: 1, signDisplay: "always" }).format(value * 100);
export const day = (date) => format("DateTimeFormat", "dates", { dateStyle: "long" }).format(date);
export const clock = (date) => format("DateTimeFormat", "dates", { hour: "2-digit", minute: "2-digit" }).format(date);
export const list = (words) => format("ListFormat", "numbers", { type: "conjunction" }).format(words);

/** The time of today, or the day and the time. */
export function moment(date) {
  const isToday = date.toDateString() === new Date().toDateString();
  if (isToday) return clock(date);
  const short = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  return format("DateTimeFormat", "dates", short).format(date);
}

const formats = new Map();

function format(kind, locale, options) {
  const key = `${current} ${kind} ${JSON.stringify(options)}`;
  if (!formats.has(key)) formats.set(key, new Intl[kind](LANGUAGES[current][locale], options));
  return formats.get(key);
}

const plural = (count) => new Intl.PluralRules(LANGUAGES[current].numbers).select(count ?? 0);

// Words from the data may run the other way: U+2068 and U+2069 keep them from turning the sentence around.
function shown(value) {
  if (typeof value === "number") return number(value);
  return value === undefined ? "" : `\u2068${value}\u2069`;
}
