// The screens: a line for each. `roles` says whose it is (everybody's without), `tab` puts it into the bar below, with
// a `count` beside it; `title` names what has no tab. Those of `later()` are fetched when they are opened.

import { openFlags } from "./flags.js";
import { later } from "./parts/later.js";
import { DiagnosisScreen } from "./screens/diagnosis.js";
import { HomeScreen } from "./screens/home.js";
import { ProfileScreen } from "./screens/profile.js";

const AccessLogScreen = later(() => import("./access/access_log.js").then((module) => module.AccessLogScreen));
const HistoryScreen = later(() => import("./history/history.js").then((module) => module.HistoryScreen));
const PatientsScreen = later(() => import("./clinic/patients.js").then((module) => module.PatientsScreen));
const PatientScreen = later(() => import("./clinic/patient.js").then((module) => module.PatientScreen));
const FlagsScreen = later(() => import("./clinic/flags.js").then((module) => module.FlagsScreen));

const PATIENT = ["patient"];
const CLINIC = ["practitioner", "head"];
// Their work is in the administration.
const OFFICE = ["reception", "operator"];

export const ROUTES = [
  { path: "#/", roles: PATIENT, screen: HomeScreen, tab: { icon: "home", label: "tab.home" } },
  { path: "#/", roles: CLINIC, screen: PatientsScreen, tab: { icon: "people", label: "tab.patients" } },
  { path: "#/", roles: OFFICE, screen: ProfileScreen, title: "tab.profile" },
  { path: "#/history", roles: PATIENT, screen: HistoryScreen, tab: { icon: "history", label: "tab.history" } },
  { path: "#/flags", roles: CLINIC, screen: FlagsScreen, tab: { icon: "alert", label: "tab.flags", count: openFlags } },
  { path: "#/patients/:id", roles: CLINIC, screen: PatientScreen, title: "role.patient" },
  { path: "#/diagnoses/:id", screen: DiagnosisScreen, title: "history.of" },
  { path: "#/history/:id", screen: HistoryScreen, title: "tab.history" },
  { path: "#/profile/access", roles: PATIENT, screen: AccessLogScreen, title: "access.title" },
  { path: "#/profile", screen: ProfileScreen, tab: { icon: "person", label: "tab.profile" } },
];
