// Failures in words a person understands.

import { clock, has, t } from "./i18n.js";

const SOON_SECONDS = 90;

/** In one sentence; a field of which no form says itself what is wrong with it is named by its own. */
export function explain(error) {
  if (error.code === "too_many_requests") return tooMany(error.retryAfter ?? 60);
  if (error.status >= 500) return t("error.unavailable");
  if (has(`error.${error.code}`)) return t(`error.${error.code}`);
  return fieldMessage(error.fields) || (error.code && error.message) || t("error.unexpected");
}

/** The first sentence about a field, however deep the answer nests it. */
export function fieldMessage(given) {
  if (typeof given === "string") return given;
  if (!given || typeof given !== "object") return "";
  return Object.values(given).map(fieldMessage).find(Boolean) ?? "";
}

function tooMany(seconds) {
  const time = clock(new Date(Date.now() + seconds * 1000));
  return t(seconds <= SOON_SECONDS ? "error.too_many_requests" : "error.too_many_requests_later", {
    count: seconds,
    time,
  });
}
