import { get } from "../api.js";
import { t, word } from "../i18n.js";
import { outbox } from "../outbox.js";
import { announce } from "../parts/announcer.js";
import { Devices } from "../parts/devices.js";
import { DataRights } from "../parts/data_rights.js";
import { Icon } from "../parts/icon.js";
import { InstallHint } from "../parts/installation.js";
import { Problem } from "../parts/notices.js";
import { PasswordRow } from "../parts/password.js";
import { PushChoice } from "../parts/push.js";
import { Segments } from "../parts/segments.js";
import { closeSheet, openSheet, SheetHeader } from "../parts/sheet.js";
import { calendar, CALENDARS, chooseCalendar, chooseTheme, language, LANGUAGES, theme, THEMES } from "../preferences.js";
import { useResource } from "../resource.js";
import { changeLanguage, me, signOut } from "../session.js";
import { html, useSignal } from "../ui.js";

const OPENS_ADMIN = ["reception", "head", "operator"];

/** Who one is, how the app speaks and looks, and the way out. */
export function ProfileScreen() {
  const { email, role, patient } = me.value;
  const { data: record, failure, again } = useResource(async () => patient && get(`/api/patients/${patient}/`), "record");
  const changes = useSignal(0);
  const changed = () => {
    changes.value += 1;
    announce(t("password.changed"));
  };
  const name = me.value.name || record?.full_name || email;
  return html`
    <div class="screen profile">
      <h1>${t("tab.profile")}</h1>
      ${failure && failure.code !== "network" && html`<${Problem} failure=${failure} retry=${again} />`}
      <section class="card person" aria-label=${t("profile.you")}>
        <span class="avatar" aria-hidden="true">${[...name][0].toUpperCase()}</span>
        <div class="grow">
          <h2><bdi>${name}</bdi></h2>
          <p class="soft small"><bdi>${email}</bdi></p>
          <p class="chips">
            <span class="chip">${t(`role.${role}`)}</span>
            ${record && html`<span class="chip">${record.mizaj_type ? t("profile.mizaj", { value: word("mizaj", record.mizaj_type) }) : t("profile.mizaj_unknown")}</span>`}
          </p>
          ${patient && html`<p class="soft small">${t("profile.number")} <bdi dir="ltr" id="record-number">${patient}</bdi></p>`}
          ${record && !record.mizaj_type && html`<p class="soft small">${t("profile.mizaj_who")}</p>`}
        </div>
      </section>
      <${Preferences} />
      ${patient && html`
        <section class="card flush rows" aria-label=${t("access.title")}>
          <a class="row" id="access-log" href="#/profile/access"><${Icon} name="eye" /><span class="grow">${t("access.title")}</span><${Icon} name="forward" /></a>
        </section>
      `}
      ${OPENS_ADMIN.includes(role) && html`
        <section class="card flush rows" aria-label=${t("profile.admin")}>
          <a class="row" id="to-admin" href="/admin/"><${Icon} name="eye" /><span class="grow">${t("profile.admin")}</span><${Icon} name="forward" /></a>
        </section>
      `}
      <${PushChoice} />
      <${InstallHint} />
      <${Devices} key=${changes.value} />
      ${patient && html`<${DataRights} />`}
      <section class="card flush rows" aria-label=${t("app.sign_out")}>
        <${PasswordRow} changed=${changed} />
        ${changes.value > 0 && html`<p class="notice">${t("password.changed")}</p>`}
        <button class="row" type="button" id="sign-out" onClick=${leave}><${Icon} name="leave" /><span class="grow">${t("app.sign_out")}</span></button>
        <button class="row danger" type="button" id="sign-out-everywhere" onClick=${confirmEverywhere}><${Icon} name="alert" /><span class="grow">${t("profile.sign_out_everywhere")}</span></button>
      </section>
      <p class="soft small disclaimer">${t("app.disclaimer")}</p>
    </div>
  `;
}

function Preferences() {
  const named = (key) => (value) => ({ value, label: t(`${key}.${value}`) });
  const languages = LANGUAGES.map((value) => ({ value, label: t(`language.${value}`), lang: value }));
  return html`
    <section class="card preferences" aria-label=${t("profile.preferences")}>
      <${Segments} name="language" legend=${t("profile.language")} options=${languages} value=${language.value} onChoose=${changeLanguage} />
      <${Segments} name="calendar" legend=${t("profile.calendar")} options=${CALENDARS.map(named("calendar"))} value=${calendar.value} onChoose=${chooseCalendar} />
      <${Segments} name="theme" legend=${t("profile.theme")} options=${THEMES.map(named("theme"))} value=${theme.value} onChoose=${chooseTheme} />
    </section>
  `;
}

/** Reports that have not arrived go with all else: that is asked about first. */
function leave() {
  if (!outbox.value.length) return signOut();
  const draw = () => html`<p>${t("profile.unsent", { count: outbox.value.length })}</p>`;
  confirm({ id: "confirm-leaving", title: "profile.leave_title", draw, label: "app.sign_out", act: () => signOut() });
}

function confirmEverywhere() {
  const draw = () => html`
    <p>${t("profile.everywhere_text")}</p>
    ${outbox.value.length > 0 && html`<p class="notice warn">${t("profile.unsent", { count: outbox.value.length })}</p>`}
  `;
  const act = () => signOut({ everywhere: true });
  confirm({ id: "confirm-everywhere", title: "profile.everywhere_title", draw, label: "profile.everywhere_confirm", act });
}

function confirm({ id, title, draw, label, act }) {
  const go = () => {
    closeSheet();
    act();
  };
  openSheet(
    () => html`
      <div class="sheet-page">
        <${SheetHeader} title=${t(title)} />
        <div class="sheet-body">${draw()}</div>
        <footer><button class="primary" type="button" id=${id} onClick=${go}>${t(label)}</button></footer>
      </div>
    `,
  );
}
