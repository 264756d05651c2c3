import { get } from "../api.js";
import { moment, t } from "../i18n.js";
import { Icon } from "../parts/icon.js";
import { Nothing, Problem, Waiting } from "../parts/notices.js";
import { Pager } from "../parts/pager.js";
import { useResource } from "../resource.js";
import { html, useSignal } from "../ui.js";

const SIZE = 25;
const ICONS = { created: "plus", changed: "note", delivered: "history", replayed: "history", broke_glass: "alert" };

/** Who looked at one's own record or changed it, newest first. */
export function AccessLogScreen() {
  const wanted = useSignal({ own: false, page: 1 });
  const { data, failure, again } = useResource(() => askForLog(wanted.peek()));
  const want = (part) => {
    wanted.value = { ...wanted.value, page: 1, ...part };
    again();
  };
  return html`
    <div class="screen access">
      <header class="title-bar">
        <a class="plain round back" href="#/profile" aria-label=${t("access.back")}><${Icon} name="back" /></a>
        <h1>${t("access.title")}</h1>
      </header>
      <p class="soft lead">${t("access.lead")}</p>
      <label class="switch">
        <span>${t("access.also_own")}</span>
        <input type="checkbox" role="switch" id="also-own" checked=${wanted.value.own} onChange=${({ target }) => want({ own: target.checked })} />
        <i aria-hidden="true" />
      </label>
      ${failure && html`<${Problem} failure=${failure} retry=${again} />`}
      ${!data && !failure && html`<${Waiting} />`}
      ${data?.count === 0 && html`<${Nothing} icon="eye" title=${t("access.none")} hint=${t("access.none_hint")} />`}
      ${data?.count > 0 && html`<ul class="card flush plain-list">${data.results.map((entry) => html`<${Entry} key=${entry.id} entry=${entry} />`)}</ul>`}
      ${data && html`<${Pager} page=${wanted.value.page} size=${SIZE} count=${data.count} onTurn=${(page) => want({ page })} />`}
    </div>
  `;
}

const askForLog = ({ own, page }) => get(`/api/me/access-log?page_size=${SIZE}&page=${page}${own ? "&own=true" : ""}`);

function Entry({ entry }) {
  const { who, action, kind, purpose, reason, at } = entry;
  return html`
    <li class="row">
      <${Icon} name=${ICONS[action] ?? "eye"} />
      <div class="grow">
        <p class="strong"><bdi>${nameOf(who)}</bdi></p>
        <p class="small">${t(`access.did_${action}`, { what: t(`access.kind_${kind}`) })}</p>
        <p class="soft small">${moment(new Date(at))}</p>
        ${purpose === "emergency" && html`<p class="small"><span class="chip severe">${t("access.emergency")}</span> <bdi>${reason}</bdi></p>`}
      </div>
    </li>
  `;
}

/** Practitioners by name, staff by what they are. */
function nameOf({ name, role, is_me: isMe }) {
  if (isMe) return t("access.who_you");
  return name || t(`access.who_${role || "system"}`);
}
