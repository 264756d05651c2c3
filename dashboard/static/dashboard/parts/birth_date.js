import { isoOf, numberIn, partsOf } from "../dates.js";
import { months, plainNumber, t } from "../i18n.js";
import { calendar } from "../preferences.js";
import { html } from "../ui.js";

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const OLDEST = "1900-01-01";

/** Why it cannot be sent, in words; "" of a whole date, or of nothing. */
export function birthMistake(value) {
  if (value === "" || DAY.test(value)) return "";
  const { year, month, day } = shownParts(value, calendar.value);
  if (!year || !month || !day) return t("birth.incomplete");
  if (numberIn(year) < partsOf(OLDEST, calendar.value).year) return t("birth.too_long_ago");
  const found = isoOf({ year: numberIn(year), month: numberIn(month), day: numberIn(day) }, calendar.value);
  if (!found) return t("birth.no_such_day");
  return t(found < OLDEST && !found.startsWith("+") ? "birth.too_long_ago" : "birth.future"); // + begins a year of five digits
}

/**
 * Day, month and year in the reader's calendar. `value` is `YYYY-MM-DD`, "" for none, or what is typed of it so far
 * (`calendar/year/month/day`), of which `birthMistake` says what is wrong.
 */
export function BirthDate({ value, error, onChange }) {
  const parts = shownParts(value, calendar.value);
  const change = (part) => onChange(valueOf({ ...parts, ...part }, calendar.value));
  const describedBy = error ? "birth_date-error" : null;
  const figure = (name, length) => html`
    <div>
      <label class="soft small" for=${`birth-${name}`}>${t(`birth.${name}`)}</label>
      <input id=${`birth-${name}`} inputmode="numeric" autocomplete=${`bday-${name}`} maxlength=${length} value=${parts[name]} aria-invalid=${error ? "true" : null} aria-describedby=${describedBy} onInput=${({ target }) => change({ [name]: target.value })} />
    </div>
  `;
  return html`
    <fieldset class="choice birth">
      <legend>${t("birth.title")} <span class="soft small">(${t("feedback.optional")})</span></legend>
      <div class="birth-parts">
        ${figure("day", 2)}
        <div>
          <label class="soft small" for="birth-month">${t("birth.month")}</label>
          <select id="birth-month" autocomplete="bday-month" aria-invalid=${error ? "true" : null} aria-describedby=${describedBy} value=${parts.month} onChange=${({ target }) => change({ month: target.value })}>
            <option value=""></option>
            ${months().map((name, index) => html`<option key=${index} value=${String(index + 1)} selected=${parts.month === String(index + 1)}>${name}</option>`)}
          </select>
        </div>
        ${figure("year", 4)}
      </div>
      ${error && html`<p class="error" id="birth_date-error">${error}</p>`}
    </fieldset>
  `;
}

/** As typed; of a whole date in the reader's digits. */
function shownParts(value, inCalendar) {
  if (DAY.test(value)) {
    const { year, month, day } = partsOf(value, inCalendar);
    return { year: plainNumber(year), month: String(month), day: plainNumber(day) };
  }
  const [typedIn, year, month, day] = value.split("/");
  return typedIn === inCalendar ? { year, month, day } : { year: "", month: "", day: "" };
}

function valueOf({ year, month, day }, inCalendar) {
  if (!year && !month && !day) return "";
  const found = isoOf({ year: numberIn(year), month: numberIn(month), day: numberIn(day) }, inCalendar);
  return found && found >= OLDEST ? found : [inCalendar, year, month, day].join("/");
}
