// Forms whose content outlives the sheet, and creates that happen once.

import { ApiError, get, patch, request } from "../api.js";
import { dropForm, formOf } from "../forms.js";
import { t } from "../i18n.js";
import { useMemo, useSignal } from "../ui.js";

/**
 * What is typed into the form `name` over the values `before`: `{values, changes, key, seen, change, look, drop}`. `changes`
 * are those that differ from `before`; they stay until `drop()`, and so does the `key` under which the server creates once.
 * `seen` is what of `record` each was made from, also when that was in an earlier sheet; after `look(now)` it is `now`.
 */
export function useTyped(name, before, record = {}) {
  const form = useMemo(() => formOf(name), [name]);
  const { key, values: changes, seen = {} } = form.value;
  const put = (values, from) => (form.value = { key, values, seen: mapped(Object.keys(values), from) });
  const change = (part) => {
    const { values, seen = {} } = form.peek();
    const all = Object.entries({ ...values, ...part }).filter(([field, value]) => value !== before[field]);
    put(Object.fromEntries(all), (field) => (field in seen ? seen[field] : record[field]));
  };
  const look = (now) => put(form.peek().values, (field) => now[field]);
  return { values: { ...before, ...changes }, changes, key, seen, change, look, drop: () => dropForm(name) };
}

/** The same over a record of the API, in the form of which stands what `shown(record)` says. */
export function useChanges(name, record, shown) {
  const read = useSignal(record);
  const typed = useTyped(name, shown(read.value), read.value);
  const look = (now) => {
    typed.look(now);
    read.value = now;
  };
  return { ...typed, look };
}

/**
 * Changes what is at `path`, unless somebody else has changed the same since it was seen: then it is looked at, and each
 * such field says what is there now, in the words of `say(field, value)`.
 */
export async function changeSeen(path, changes, { seen, look }, say) {
  try {
    return await patch(path, { ...changes, seen });
  } catch (error) {
    if (error.code !== "changed_meanwhile") throw error;
    const now = await get(path);
    look(now);
    const others = Object.keys(changes).filter((field) => ![seen[field], changes[field]].some((known) => isSame(known, now[field])));
    const fields = mapped(others, (field) => t("meanwhile.changed", { value: say(field, now[field]) || t("meanwhile.nothing") }));
    throw new ApiError(error.code, { message: error.message, fields });
  }
}

const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const mapped = (names, of) => Object.fromEntries(names.map((name) => [name, of(name)]));

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
