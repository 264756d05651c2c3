import { el } from "./dom.js";
import { t } from "./i18n.js";

/** Five dots and the same in words. */
export function severity(value) {
  const dot = (number) => el("i", { class: number <= value ? "dot on" : "dot" });
  return el(
    "span",
    { class: "severity" },
    el("span", { class: "dots", "aria-hidden": "true" }, [1, 2, 3, 4, 5].map(dot)),
    t("diagnosis.severity", { value }),
  );
}
