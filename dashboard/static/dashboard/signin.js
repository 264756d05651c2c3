import { signIn } from "./api.js";
import { el, replace } from "./dom.js";
import { explain, fieldMessage } from "./errors.js";
import { t } from "./i18n.js";

// Offered only where the page says that it shows the demonstration clinic.
const DEMO_PASSWORD = "avicenna-demo";
const DEMO = [
  ["sara@demo.example", "role.patient"],
  ["reza@demo.example", "role.patient"],
  ["dr.amini@demo.example", "role.practitioner"],
];

/** `notice` is the key of a text that says why one is here. */
export function signInScreen({ notice, onSignedIn }) {
  const typed = { email: "", password: "" };
  let failure = null;
  let missing = [];
  let isSending = false;

  const element = el("div", { class: "signin" });
  draw();
  return { element, relabel: draw };

  function draw() {
    replace(
      element,
      el("h1", {}, t("signin.title")),
      el("p", { class: "soft" }, t("app.tagline")),
      notice && !failure && el("div", { class: "notice", role: "status" }, t(notice)),
      el(
        "form",
        { class: "card form", novalidate: true, onsubmit: submit },
        input("email", { type: "email", autocomplete: "username", inputmode: "email", dir: "ltr" }),
        input("password", { type: "password", autocomplete: "current-password", dir: "ltr" }),
        failure && !ownField(failure) && el("div", { class: "notice bad", role: "alert" }, explain(failure)),
        el("button", { class: "primary", disabled: isSending }, t(isSending ? "signin.sending" : "signin.submit")),
      ),
      "demo" in document.body.dataset && demo(),
    );
  }

  function input(name, attributes) {
    const message = missing.includes(name) ? t(`signin.${name}_missing`) : fieldMessage(failure?.fields[name]);
    const described = message && { "aria-invalid": "true", "aria-describedby": `${name}-error` };
    const oninput = ({ target }) => (typed[name] = target.value);
    return el(
      "div",
      { class: "field" },
      el("label", { for: name }, t(`signin.${name}`)),
      el("input", { id: name, name, value: typed[name], oninput, ...attributes, ...described }),
      message && el("p", { class: "error", id: `${name}-error` }, message),
    );
  }

  function demo() {
    const button = ([email, role]) =>
      el(
        "button",
        { class: "row", type: "button", disabled: isSending, onclick: () => enter(email, DEMO_PASSWORD, true) },
        el("span", { class: "strong" }, t(role)),
        el("span", { class: "soft", dir: "ltr" }, email),
      );
    const admin = [el("span", { class: "strong" }, t("signin.demo_admin")), el("span", { class: "soft", dir: "ltr" }, "/admin/")];
    return el(
      "section",
      { class: "demo", "aria-labelledby": "demo-title" },
      el("h2", { id: "demo-title" }, t("signin.demo")),
      el("p", { class: "soft" }, t("signin.demo_hint")),
      el("div", { class: "card rows" }, DEMO.map(button), el("a", { class: "row", href: "/admin/" }, admin)),
    );
  }

  function submit(event) {
    event.preventDefault();
    missing = ["email", "password"].filter((name) => !typed[name].trim());
    if (!missing.length) return enter(typed.email.trim(), typed.password, false);
    failure = null;
    draw();
    element.querySelector(`#${missing[0]}`).focus();
  }

  /** A demonstration sign-in keeps the language the visitor reads; an account of one's own brings its language. */
  async function enter(email, password, keepLanguage) {
    if (isSending) return;
    [isSending, failure, missing] = [true, null, []];
    draw();
    try {
      await signIn(email, password);
    } catch (error) {
      failure = error;
    }
    isSending = false;
    if (!failure) return onSignedIn({ keepLanguage }).catch(() => {}); // told on the screen
    draw();
    element.querySelector(ownField(failure) ? `#${ownField(failure)}` : "#password").focus();
  }
}

const ownField = (failure) => ["email", "password"].find((name) => failure.fields[name]);
