export const SEXES = ["female", "male"];
