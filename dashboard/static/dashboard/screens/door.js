import { get } from "../api.js";
import { explain, fieldMessage } from "../errors.js";
import { t } from "../i18n.js";
import { BirthDate, birthMistake } from "../parts/birth_date.js";
import { ConsentSwitch } from "../parts/data_rights.js";
import { Field } from "../parts/field.js";
import { Icon } from "../parts/icon.js";
import { Segments } from "../parts/segments.js";
import { SEXES } from "../parts/sex.js";
import { useResource } from "../resource.js";
import { enter, join, notice } from "../session.js";
import { html, useEffect, useRef, useSignal } from "../ui.js";

// Offered only where the page says that it shows the demonstration clinic.
const DEMO_PASSWORD = "avicenna-demo";
const DEMO = [
  ["sara@demo.example", "role.patient"],
  ["reza@demo.example", "role.patient"],
  ["dr.amini@demo.example", "role.practitioner"],
];
// `goOn`: where one goes on when it was refused and no field is wrong; what is said stands beside it.
const MODES = {
  signin: { fields: ["email", "password"], act: enter, autocomplete: "current-password", other: "register", goOn: "#password" },
  register: { fields: ["full_name", "email", "password"], act: join, autocomplete: "new-password", other: "signin", goOn: ".primary" },
};

/** Sign in or, in its other mode, register. */
export function DoorScreen() {
  const mode = useSignal("signin");
  const typed = useRef({ full_name: "", email: "", password: "", code: "" });
  return html`
    <div class="door">
      <header class="welcome">
        <img src=${new URL("../icon.svg", import.meta.url).href} alt="" width="72" height="72" />
        <p class="name">${t("app.name")}</p>
        <p class="soft">${t("app.tagline")}</p>
      </header>
      <${Form} key=${mode.value} mode=${mode} typed=${typed} />
      ${"demo" in document.body.dataset && html`<${Demo} />`}
    </div>
  `;
}

/** What is typed is kept when the mode changes. */
function Form({ mode, typed }) {
  const { fields: always, act, autocomplete, other, goOn } = MODES[mode.value];
  const form = useRef(null);
  const missing = useSignal([]);
  const failure = useSignal(null);
  const isSending = useSignal(false);
  const refusals = useSignal(0);
  const person = useSignal({ birth_date: "", sex: "" });
  const asksForCode = useSignal(false);
  const fields = asksForCode.value ? [...always, "code"] : always;
  useEffect(() => void (refusals.value && form.current.querySelector(["[aria-invalid]", "#code", goOn].find((wanted) => form.current.querySelector(wanted))).focus()), [refusals.value]);
  const consents = useSignal(null);

  const submit = async (event) => {
    event.preventDefault();
    failure.value = null;
    missing.value = fields.filter((name) => !typed.current[name].trim());
    if (birthMistake(person.value.birth_date)) missing.value = [...missing.value, "birth_date"];
    if (missing.value.length) return void (refusals.value += 1);
    isSending.value = true;
    try {
      const said = mode.value === "register" ? optional({ ...person.value, consents: consents.value }) : {};
      await act({ ...typed.current, ...said, email: typed.current.email.trim() });
    } catch (error) {
      asksForCode.value ||= error.code === "code_required";
      failure.value = error;
      refusals.value += 1;
    }
    isSending.value = false;
  };
  const field = (name, attributes) => html`<${Field}
    name=${name}
    label=${t(`signin.${name}`)}
    error=${missing.value.includes(name) ? t(`signin.${name}_missing`) : fieldMessage(failure.value?.fields[name])}
    value=${typed.current[name]}
    onInput=${({ target }) => (typed.current[name] = target.value)}
    ...${attributes}
  />`;
  const isGeneral = failure.value && ![...fields, "birth_date"].some((name) => failure.value.fields[name]);
  return html`
    <h1>${t(`${mode.value}.title`)}</h1>
    ${notice.value && !failure.value && html`<div class="notice" role="status">${t(notice.value)}</div>`}
    <form class="card form" ref=${form} novalidate onSubmit=${submit}>
      ${fields.includes("full_name") && field("full_name", { autocomplete: "name", dir: "auto" })}
      ${field("email", { type: "email", autocomplete: "username", inputmode: "email", dir: "ltr" })}
      ${field("password", { type: "password", autocomplete, dir: "ltr", hint: mode.value === "register" && t("register.password_hint") })}
      ${mode.value === "register" && html`<${About} person=${person} error=${missing.value.includes("birth_date") ? birthMistake(person.value.birth_date) : fieldMessage(failure.value?.fields.birth_date)} />`}
      ${asksForCode.value && field("code", { autocomplete: "one-time-code", dir: "ltr", hint: t("signin.code_hint") })}
      ${mode.value === "register" && html`<${Consents} chosen=${consents} />`}
      ${isGeneral && html`<div class="notice bad" role="alert">${explain(failure.value)}</div>`}
      <button class="primary" disabled=${isSending.value}>${t(`${mode.value}.${isSending.value ? "sending" : "submit"}`)}</button>
      <button class="plain" type="button" id="other-mode" onClick=${() => (mode.value = other)}>${t(`${mode.value}.other`)}</button>
    </form>
  `;
}

/** What predictions take into account; nobody has to say it. */
function About({ person, error }) {
  const change = (part) => (person.value = { ...person.value, ...part });
  const options = [...SEXES, ""].map((value) => ({ value, label: t(value ? `sex.${value}` : "register.sex_unsaid") }));
  return html`
    <details class="figures about" open=${Boolean(error)}>
      <summary>${t("register.about")}</summary>
      <div class="form-part">
        <p class="soft small">${t("register.why")}</p>
        <${BirthDate} value=${person.value.birth_date} error=${error} onChange=${(birth_date) => change({ birth_date })} />
        <${Segments} name="sex" legend=${t("record.sex")} options=${options} value=${person.value.sex} onChoose=${(sex) => change({ sex })} />
      </div>
    </details>
  `;
}

/** What the server asks for and writes down with the answers. Nothing but treatment is agreed to unless one says so. */
function Consents({ chosen }) {
  const { data } = useResource(async () => {
    const texts = await get("/api/consents");
    chosen.value ??= Object.fromEntries(texts.map(({ purpose }) => [purpose, purpose === "treatment"]));
    return texts;
  });
  if (!data || !chosen.value) return null; // who was not asked has not answered
  const choose = (purpose) => ({ target }) => (chosen.value = { ...chosen.value, [purpose]: target.checked });
  return html`
    <fieldset class="choice">
      <legend>${t("register.consents")}</legend>
      ${data.map(({ purpose, title, text }) => html`<${ConsentSwitch} key=${purpose} purpose=${purpose} title=${title} text=${text} isGiven=${chosen.value[purpose]} onChoose=${choose(purpose)} />`)}
    </fieldset>
  `;
}

/** What was said. */
const optional = (person) => Object.fromEntries(Object.entries(person).filter(([, value]) => value));

function Demo() {
  const failure = useSignal(null);
  const open = (email) => async () => {
    try {
      await enter({ email, password: DEMO_PASSWORD, keepsLanguage: true });
    } catch (error) {
      failure.value = error;
    }
  };
  const person = ([email, role]) => html`
    <button class="row" type="button" onClick=${open(email)}>
      <span class="strong grow">${t(role)}</span><span class="soft small" dir="ltr">${email}</span><${Icon} name="forward" />
    </button>
  `;
  return html`
    <section aria-labelledby="demo-title">
      <h2 id="demo-title">${t("signin.demo")}</h2>
      <p class="soft small lead">${t("signin.demo_hint")}</p>
      ${failure.value && html`<div class="notice bad" role="alert">${explain(failure.value)}</div>`}
      <div class="card flush rows">
        ${DEMO.map(person)}
        <a class="row" href="/admin/"><span class="strong grow">${t("signin.demo_admin")}</span><span class="soft small" dir="ltr">/admin/</span><${Icon} name="forward" /></a>
      </div>
    </section>
  `;
}
