// What practitioners typed into their forms and has not arrived. A form holds only what differs from the record it is
// about: `{key, values}`, with the key under which the server creates once.

import { identifier } from "./identifier.js";
import { KeptDrafts } from "./kept_drafts.js";

const forms = new KeptDrafts("drafts of forms", { isBegun: ({ values }) => Object.keys(values).length > 0 });

/** A signal with what was typed into the form of this name. */
export const formOf = (name) => forms.find(name, () => ({ key: identifier(), values: {} }));

export const dropForm = (name) => forms.drop(name);
export const restoreForms = () => forms.restore();
export const forgetForms = () => forms.forget();
