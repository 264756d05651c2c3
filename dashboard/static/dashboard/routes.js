// The screens: a line for each. `roles` says whose it is (everybody's without), `tab` puts it into the bar below.

import { DiagnosesScreen } from "./screens/diagnoses.js";
import { DiagnosisScreen } from "./screens/diagnosis.js";
import { HomeScreen } from "./screens/home.js";
import { ProfileScreen } from "./screens/profile.js";

const PATIENT = ["patient"];
const CLINIC = ["practitioner", "staff"];

export const ROUTES = [
  { path: "#/", roles: PATIENT, screen: HomeScreen, tab: { icon: "home", label: "tab.home" } },
  { path: "#/", roles: CLINIC, screen: DiagnosesScreen, tab: { icon: "people", label: "tab.patients" } },
  { path: "#/diagnoses/:id", screen: DiagnosisScreen },
  { path: "#/profile", screen: ProfileScreen, tab: { icon: "person", label: "tab.profile" } },
];
