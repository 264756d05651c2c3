import { t } from "../i18n.js";
import { hasNewVersion, install, installation, takeNewVersion } from "../installation.js";
import { html } from "../ui.js";
import { Icon } from "./icon.js";

/** Another version waits until one has a moment for it. */
export function NewVersion() {
  if (!hasNewVersion.value) return null;
  return html`
    <div class="notice strip" role="status" id="new-version">
      <span class="grow">${t("app.new_version")}</span>
      <button class="plain" type="button" onClick=${takeNewVersion}>${t("app.take_new_version")}</button>
    </div>
  `;
}

/** How the app comes onto the home screen, where it can and is not there yet. */
export function InstallHint() {
  const state = installation.value;
  if (state !== "offered" && state !== "by_hand") return null;
  return html`
    <section class="card hint" aria-labelledby="install-title">
      <span class="medallion"><${Icon} name="install" /></span>
      <div class="grow">
        <h2 id="install-title">${t("install.title")}</h2>
        <p class="soft small">${t(state === "offered" ? "install.why" : "install.by_hand")}</p>
        ${state === "offered" && html`<button class="tonal" type="button" id="install" onClick=${install}>${t("install.now")}</button>`}
      </div>
    </section>
  `;
}
