// What a person chose on this device: language, calendar, theme. No health data, so it may stay in plain storage.

import { computed, effect, signal } from "./ui.js";

export const LANGUAGES = ["fa", "en"];
export const CALENDARS = ["persian", "gregory"];
export const THEMES = ["system", "light", "dark"];

const stored = (name, choices) => choices.find((choice) => choice === localStorage.getItem(`avicenna.${name}`)) ?? null;
const chosenLanguage = signal(stored("language", LANGUAGES));
const accountLanguage = signal(document.documentElement.lang.startsWith("fa") ? "fa" : "en");
const chosenCalendar = signal(stored("calendar", CALENDARS));

/** What was chosen here; else that of the account; else what the browser asked for. */
export const language = computed(() => chosenLanguage.value ?? accountLanguage.value);
export const otherLanguage = computed(() => LANGUAGES.find((code) => code !== language.value));
export const calendar = computed(() => chosenCalendar.value ?? (language.value === "fa" ? "persian" : "gregory"));
export const theme = signal(stored("theme", THEMES) ?? "system");

const darkSystem = matchMedia("(prefers-color-scheme: dark)");
const isSystemDark = signal(darkSystem.matches);
darkSystem.addEventListener("change", ({ matches }) => (isSystemDark.value = matches));

/** Whether the person asked the device for no motion. */
export const prefersStillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** "light" or "dark". */
export const colours = computed(() => (theme.value !== "system" ? theme.value : isSystemDark.value ? "dark" : "light"));

export function chooseLanguage(code) {
  chosenLanguage.value = keep("language", code);
}

export function takeLanguageOfAccount(code) {
  accountLanguage.value = code;
}

export function chooseCalendar(name) {
  chosenCalendar.value = keep("calendar", name);
}

export function chooseTheme(name) {
  theme.value = keep("theme", name);
}

function keep(name, value) {
  localStorage.setItem(`avicenna.${name}`, value);
  return value;
}

effect(() => {
  const root = document.documentElement;
  root.lang = language.value;
  root.dir = language.value === "fa" ? "rtl" : "ltr";
  root.dataset.theme = colours.value;
  document.querySelector("meta[name=theme-color]").content = getComputedStyle(root).getPropertyValue("--ground").trim();
  document.querySelector("link[rel=manifest]").href = `/manifest.webmanifest?language=${language.value}`; // the name under the icon
});
