// What stands around every screen: brand, language, the bar of tabs, the sheet, and the voice for screen readers.

import { lostAt } from "./api.js";
import { clock, number, t } from "./i18n.js";
import { Announcer } from "./parts/announcer.js";
import { Icon } from "./parts/icon.js";
import { NewVersion } from "./parts/installation.js";
import { Problem, Waiting } from "./parts/notices.js";
import { PullToRefresh } from "./parts/pull.js";
import { closeSheet, SheetHost } from "./parts/sheet.js";
import { otherLanguage } from "./preferences.js";
import { address, match } from "./router.js";
import { ROUTES } from "./routes.js";
import { DoorScreen } from "./screens/door.js";
import { changeLanguage, failure, me, start } from "./session.js";
import { html, useEffect, useRef } from "./ui.js";

export function Frame() {
  const title = titleOfScreen();
  useEffect(() => void (document.title = title), [title]);
  const skip = (event) => {
    event.preventDefault(); // the address holds the route
    document.getElementById("main").focus();
  };
  return html`
    <a class="skip" href="#main" onClick=${skip}>${t("app.skip")}</a>
    <${Top} />
    <${NewVersion} />
    ${me.value && html`<${PullToRefresh} />`}
    <${Main} />
    ${me.value && html`<${Tabs} />`}
    <${SheetHost} />
    <${Announcer} />
  `;
}

/** For tabs, the history and screen readers. */
function titleOfScreen() {
  const route = me.value && routesOf(me.value).find(({ path }) => match(path, address.value));
  return route ? `${t(route.title ?? route.tab.label)} · ${t("app.name")}` : t("app.name");
}

function Top() {
  const code = otherLanguage.value;
  return html`
    <header class="top">
      ${me.value && html`<a class="brand" href="#/"><img src=${new URL("icon.svg", import.meta.url).href} alt="" width="32" height="32" /><span>${t("app.name")}</span></a>`}
      ${lostAt.value && html`<p class="offline" role="status"><i class="lamp" aria-hidden="true" />${t("connection.offline", { time: clock(lostAt.value) })}</p>`}
      <button class="plain" id="language" type="button" lang=${code} onClick=${() => changeLanguage(code)}>${t(`language.${code}`)}</button>
    </header>
  `;
}

/** Another screen begins at its top, with the focus, so that a screen reader starts there, too. */
function Main() {
  const main = useRef(null);
  const shown = `${me.value?.id} ${address.value}`;
  const first = useRef(shown);
  useEffect(() => {
    if (first.current === shown) return;
    first.current = null;
    closeSheet();
    scrollTo(0, 0);
    main.current.focus({ preventScroll: true });
  }, [shown]);
  return html`<main id="main" tabindex="-1" ref=${main}><${Screen} /></main>`;
}

function Screen() {
  if (failure.value) return html`<div class="screen"><${Problem} failure=${failure.value} retry=${start} /></div>`;
  if (me.value === undefined) return html`<div class="screen"><${Waiting} /></div>`;
  if (me.value === null) return html`<${DoorScreen} />`;
  const found = routesOf(me.value).map((route) => [route, match(route.path, address.value)]).find(([, parts]) => parts);
  if (!found) return html`<div class="screen"><h1>${t("app.nothing_here")}</h1><p class="soft lead">${t("error.not_found")}</p></div>`;
  const [{ screen }, parts] = found;
  return html`<${screen} key=${address.value} ...${parts} />`;
}

const routesOf = ({ role }) => ROUTES.filter(({ roles }) => !roles || roles.includes(role));

function Tabs() {
  const tabs = routesOf(me.value).filter(({ tab }) => tab);
  const isAbove = ({ path }) => path !== "#/" && address.value.startsWith(path);
  const here = tabs.find(isAbove) ?? tabs[0]; // what lies under no other belongs to the first
  return html`
    <nav class="tabs" aria-label=${t("tab.title")}>
      ${tabs.map(
        ({ path, tab }) => html`
          <a key=${path} href=${path} aria-current=${path === here.path ? "page" : null}><span class="tab-icon"><${Icon} name=${tab.icon} />${tab.count?.value > 0 && html`<span class="badge">${number(tab.count.value)}</span>`}</span><span>${t(tab.label)}</span></a>
        `,
      )}
    </nav>
  `;
}
