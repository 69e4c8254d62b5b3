// Asks the study course's API.

/** Refused is an answer that is no success. */
export class Refused extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** course calls a path of the course's API. @param {string} method @param {string} path @param {any} [body] @returns {Promise<any>} */
export async function course(method, path, body) {
  const res = await fetch("/api/millpond/learn" + path, {
    method, headers: body === undefined ? {} : { "Content-Type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body),
  });
  const out = await res.json().catch(() => ({}));
  if (!res.ok) throw new Refused(res.status, out.message || `The server answered status ${res.status}.`);
  return out;
}

/** chosen lists the options that are ticked. @param {Element} question @returns {number[]} */
export const chosen = (question) => inputs(question).flatMap((i) => (i.checked ? Number(i.value) : []));

/** choose ticks options, no others. @param {Element} question @param {number[]} options */
export function choose(question, options) {
  for (const i of inputs(question)) i.checked = options.includes(Number(i.value));
}

/** press ticks the option of a key from 1 to 6, or takes its tick away. @param {Element} question @param {string} key @returns {boolean} whether there is one */
export function press(question, key) {
  const input = /^[1-6]$/.test(key) ? inputs(question)[Number(key) - 1] : undefined;
  if (!input || input.disabled) return false;
  input.checked = input.type === "radio" || !input.checked;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}

/** @param {Element} question @returns {HTMLInputElement[]} */
export const inputs = (question) => [...question.querySelectorAll(/** @type {"input"} */ (".options input"))];

/** isKey says whether a key press is for the page, not for a field or the browser. @param {KeyboardEvent} e */
export const isKey = (e) => !(e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]") ||
  /** @type {HTMLElement} */ (e.target).matches("select, textarea, input:not([type=radio], [type=checkbox])"));
