import { html } from "../ui.js";

/** One of several in a list that drops down; `options` are `{value, label}`. */
export function Choose({ name, label, options, value, error, onChoose }) {
  return html`
    <div class="field">
      <label for=${name}>${label}</label>
      <select id=${name} value=${value} aria-invalid=${error ? "true" : null} aria-describedby=${error ? `${name}-error` : null} onChange=${({ target }) => onChoose(target.value)}>
        ${options.map(({ value: choice, label: text }) => html`<option key=${choice} value=${choice} selected=${choice === value}>${text}</option>`)}
      </select>
      ${error && html`<p class="error" id=${`${name}-error`}>${error}</p>`}
    </div>
  `;
}
