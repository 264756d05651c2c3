import { t } from "../i18n.js";

export const MIZAJES = ["balanced", "warm", "cold", "wet", "dry", "warm_wet", "warm_dry", "cold_wet", "cold_dry"];

/** Completed years in words, or nothing when the birth date (YYYY-MM-DD) is not known. */
export function ageOf(birthDate) {
  if (!birthDate) return "";
  const [year, month, day] = birthDate.split("-").map(Number);
  const now = new Date();
  const hadBirthday = now.getMonth() + 1 > month || (now.getMonth() + 1 === month && now.getDate() >= day);
  return t("patient.age", { count: now.getFullYear() - year - (hadBirthday ? 0 : 1) });
}
