// The frame around the screens: header, routes, session, language.

import { announcer } from "./announcer.js";
import { get, isSignedIn, onSessionEnd, patch, signOut } from "./api.js";
import { diagnosesScreen } from "./diagnoses.js";
import { diagnosisScreen } from "./diagnosis.js";
import { el, icon, replace } from "./dom.js";
import { explain } from "./errors.js";
import { forgetDrafts } from "./feedback_form.js";
import { applyLanguage, language, onLanguageChange, otherLanguage, setLanguage, t, wasChosen } from "./i18n.js";
import { problem, waiting } from "./notices.js";
import { closeSheet } from "./sheet.js";
import { signInScreen } from "./signin.js";

const DIAGNOSIS = /^#\/diagnoses\/([0-9a-f-]{36})$/;

let me = null;
let lastUser = null;
let screen = null; // {element, relabel, close?, nudge?}
let notice = "";

const skip = el("a", { class: "skip", href: "#main", onclick: skipToMain });
const header = el("header", { class: "top" });
const main = el("main", { id: "main", tabindex: "-1" });
const footer = el("footer", { class: "foot" });

function drawFrame() {
  const home = el("a", { class: "brand", href: "#/" }, mark(), el("span", {}, t("app.name")));
  const other = { class: "plain", type: "button", lang: otherLanguage(), onclick: switchLanguage };
  const leave = { class: "plain", type: "button", id: "sign-out", onclick: leaveSession };
  replace(
    header,
    home,
    el("button", { ...other, id: "language" }, t("app.other_language")),
    me && el("button", leave, icon("leave"), el("span", {}, t("app.sign_out"))),
  );
  skip.textContent = t("app.skip");
  replace(footer, el("p", {}, t("app.disclaimer")));
}

/** Not by the address, which holds the route. */
function skipToMain(event) {
  event.preventDefault();
  main.focus();
}

const mark = () => el("img", { src: new URL("icon.svg", import.meta.url).href, alt: "", width: 32, height: 32 });

async function start() {
  show({ element: waiting(), relabel() {} });
  if (isSignedIn() && !me) await meetUser();
  route();
}

async function meetUser({ keepLanguage = false } = {}) {
  try {
    me = await get("/api/me");
  } catch (error) {
    if (error.status === 401) return;
    const retry = () => start();
    const element = () => problem(explain(error), retry);
    show({ element: element(), relabel: () => replace(main, element()) });
    throw error;
  }
  if (lastUser !== null && lastUser !== me.id) forgetDrafts();
  lastUser = me.id;
  if (!keepLanguage && !wasChosen()) setLanguage(me.language, { chosen: false });
}

function route() {
  drawFrame();
  if (!me) return show(signInScreen({ notice: takeNotice(), onSignedIn: enter }));
  const id = DIAGNOSIS.exec(location.hash)?.[1];
  show(id ? diagnosisScreen({ id, me }) : diagnosesScreen({ me }));
}

function show(next) {
  screen?.close?.();
  closeSheet();
  screen = next;
  replace(main, next.element);
  scrollTo(0, 0);
}

function takeNotice() {
  const taken = notice;
  notice = "";
  return taken;
}

async function enter(options) {
  await meetUser(options);
  route();
  main.focus({ preventScroll: true });
}

async function leaveSession() {
  const told = await signOut();
  forgetDrafts();
  leave(told ? "signin.signed_out" : "signin.signed_out_here");
  history.replaceState(null, "", "#/");
}

function leave(why) {
  me = null;
  notice = why;
  route();
}

function switchLanguage() {
  setLanguage(otherLanguage(), { chosen: true });
  if (me) patch("/api/me", { language: language() }).catch(() => {}); // the page has switched either way
  document.getElementById("language").focus();
}

onLanguageChange(() => {
  drawFrame();
  screen.relabel();
});
onSessionEnd(() => leave("error.not_authenticated"));

addEventListener("hashchange", () => {
  route();
  main.focus({ preventScroll: true });
});
for (const [target, type] of [[window, "online"], [window, "offline"], [document, "visibilitychange"]]) {
  target.addEventListener(type, () => document.visibilityState === "visible" && screen.nudge?.());
}

applyLanguage();
document.body.append(skip, header, main, footer, announcer);
drawFrame();
start().catch(() => {}); // told on the screen
