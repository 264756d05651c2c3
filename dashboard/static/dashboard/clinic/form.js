// Forms whose content outlives the sheet, and creates that happen once.

import { ApiError, patch, request } from "../api.js";
import { dropForm, formOf } from "../forms.js";
import { useMemo } from "../ui.js";

/**
 * What is typed into the form `name` over the values `before`: `{values, changes, key, change, drop}`. `changes` are those
 * that differ from `before`; they stay until `drop()`, and so does the `key` under which the server creates once.
 */
export function useTyped(name, before) {
  const form = useMemo(() => formOf(name), [name]);
  const { key, values: changes } = form.value;
  const change = (part) => {
    const all = Object.entries({ ...form.peek().values, ...part });
    form.value = { key, values: Object.fromEntries(all.filter(([field, value]) => value !== before[field])) };
  };
  return { values: { ...before, ...changes }, changes, key, change, drop: () => dropForm(name) };
}

/**
 * Creates. When an earlier try had arrived after all, what was created is brought up to date with `changeable`; it stands
 * in `list`.
 */
export async function createOnce(path, body, { key, changeable = body, list = path }) {
  const { status, data } = await request("POST", path, body, { key });
  return status === 200 ? patch(`${list}${data.id}/`, changeable) : data;
}

/** Refuses like the server does, when there are `mistakes`: field → what is wrong with it, or nothing. */
export function refuse(mistakes) {
  const fields = Object.fromEntries(Object.entries(mistakes).filter(([, said]) => said));
  if (Object.keys(fields).length) throw new ApiError("invalid", { fields });
}
