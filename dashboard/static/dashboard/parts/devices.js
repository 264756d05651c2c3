import { del, get } from "../api.js";
import { moment, t } from "../i18n.js";
import { useResource } from "../resource.js";
import { html, useSignal } from "../ui.js";
import { announce } from "./announcer.js";
import { Problem, ProblemBeside } from "./notices.js";

/** Where one is signed in, and the way to end it there. */
export function Devices() {
  const { data, failure, again } = useResource(() => get("/api/me/sessions?page_size=100"));
  const refused = useSignal(null);
  const ending = useSignal(null);
  const end = async ({ id }) => {
    ending.value = id;
    refused.value = null;
    try {
      await del(`/api/me/sessions/${id}`);
      announce(t("devices.ended"));
    } catch (error) {
      if (error.status !== 404) refused.value = error; // it has ended already
    }
    await again();
    ending.value = null;
  };
  return html`
    <section id="devices" aria-labelledby="devices-title">
      <h2 id="devices-title">${t("devices.title")}</h2>
      ${failure && html`<${ProblemBeside} what=${t("devices.title")} failure=${failure} retry=${again} />`}
      ${refused.value && html`<${Problem} failure=${refused.value} />`}
      ${data && html`<div class="card flush rows">${data.results.map((session) => html`<${Device} key=${session.id} session=${session} isEnding=${ending.value === session.id} end=${end} />`)}</div>`}
    </section>
  `;
}

function Device({ session, isEnding, end }) {
  const name = session.device || t("devices.unnamed");
  const seen = t("devices.seen", { time: moment(new Date(session.seen_at)) });
  return html`
    <div class="row">
      <div class="grow">
        <p><bdi>${name}</bdi></p>
        <p class="soft small">${session.is_current ? t("devices.this") : seen}</p>
      </div>
      ${!session.is_current && html`<button class="quiet" type="button" disabled=${isEnding} aria-label=${t("devices.end_of", { name })} onClick=${() => end(session)}>${t("devices.end")}</button>`}
    </div>
  `;
}
