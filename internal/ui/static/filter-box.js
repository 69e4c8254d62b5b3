// Completion in a filter box: real keys as one types, then comparisons, then values seen.

import { h } from "./dom.js";
import { column, valueOf } from "./run-columns.js";

const attributes = ["attributes.run_name", "attributes.status", "attributes.start_time", "attributes.end_time", "attributes.run_id", "attributes.user_id"];
const statuses = ["FINISHED", "RUNNING", "FAILED", "KILLED", "SCHEDULED"].map((s) => `'${s}'`);

/**
 * suggest lists what could follow.
 * @param {string} text before the caret
 * @param {string[]} keys
 * @param {import("./api.js").Run[]} runs
 * @returns {{from: number, options: string[]}}
 */
export function suggest(text, keys, runs) {
  // The term that is being typed begins after the last AND, OR or parenthesis (but that of a list) outside quotes.
  const start = Math.max(0, ...[...text.matchAll(/\b(?:and|or)\s+|(?<!\bin\s*)\(\s*/gi)].filter((m) => (text.slice(0, m.index).match(/['"]/g)?.length ?? 0) % 2 === 0).map((m) => m.index + m[0].length));
  const term = text.slice(start);
  const m = /^\s*(\w+\.(?:`[^`]*`|"[^"]*"|[^\s<>=!`"']+))(\s+)(?:([<>=!]+|i?like|in|is)(\s+)(.*))?(\S*)$/is.exec(term);
  if (!m) {
    const word = term.trimStart();
    const from = start + term.length - word.length, part = word.toLowerCase().replaceAll("`", "");
    const every = [...keys, ...attributes];
    const hits = every.filter((k) => k.toLowerCase().startsWith(part)).concat(every.filter((k) => part && !k.toLowerCase().startsWith(part) && k.toLowerCase().includes(part)));
    return { from, options: hits.slice(0, 12).map(quoted) };
  }
  const [, key, , op, , value] = m;
  const c = column(key.replaceAll("`", "").replaceAll('"', ""));
  if (op === undefined) {
    const typed = m[6] ?? "";
    const ops = c.kind === "metrics" || /_time$/.test(c.key) ? [">", "<", ">=", "<=", "=", "!="] : ["=", "!=", "LIKE", "ILIKE"];
    return { from: start + term.length - typed.length, options: ops.filter((o) => o.toLowerCase().startsWith(typed.toLowerCase())).map((o) => o + " ") };
  }
  if (/\S\s+$/.test(value ?? "")) return { from: text.length, options: ["AND ", "OR "] };
  let seen = c.key === "status" ? statuses : [];
  if (c.kind === "params" || c.kind === "tags") seen = [...new Set(runs.map((r) => valueOf(r, c).full).filter((v) => v && v.length < 60))].sort().map((v) => `'${v.replaceAll("'", "''")}'`);
  const part = (value ?? "").toLowerCase().replaceAll(/['"]/g, "");
  return { from: text.length - (value ?? "").length, options: seen.filter((v) => v.toLowerCase().includes(part) && v !== value).slice(0, 12).map((v) => v + " ") };
}

const quoted = (/** @type {string} */ id) => {
  const { kind, key } = column(id);
  return `${kind}.${/^[\w.]+$/.test(key) ? key : "`" + key + "`"} `;
};

/** grouped puts parentheses around a filter that may have an OR, as the API wants them. @param {string} filter */
export const grouped = (filter) => (/\bor\b/i.test(filter) ? `(${filter})` : filter);

/** complete offers what suggest finds below an input. @param {HTMLInputElement} input @param {() => string[]} keys @param {() => import("./api.js").Run[]} runs */
export function complete(input, keys, runs) {
  input.removeAttribute("list");
  const list = h("ul", { class: "completion", role: "listbox", id: "filter-completion", hidden: true });
  Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": "filter-completion", "aria-autocomplete": "list" }).forEach(([k, v]) => input.setAttribute(k, v));
  input.after(list);
  let at = -1, from = 0;
  const close = () => ((list.hidden = true), input.setAttribute("aria-expanded", "false"), (at = -1));
  const take = (/** @type {string} */ text) => {
    const caret = input.selectionStart ?? input.value.length;
    input.setRangeText(text, from, caret, "end");
    show();
  };
  const show = () => {
    const found = suggest(input.value.slice(0, input.selectionStart ?? undefined), keys(), runs());
    from = found.from;
    at = -1;
    list.replaceChildren(...found.options.map((o) => h("li", { role: "option", onmousedown: (/** @type {Event} */ e) => (e.preventDefault(), take(o)) }, o)));
    list.hidden = !found.options.length;
    list.style.left = `${input.offsetLeft}px`;
    list.style.top = `${input.offsetTop + input.offsetHeight + 2}px`;
    input.setAttribute("aria-expanded", String(!list.hidden));
  };
  input.addEventListener("input", show);
  input.addEventListener("focus", show);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (e) => {
    if (list.hidden) return;
    const items = /** @type {HTMLElement[]} */ ([...list.children]);
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault();
      items[at]?.removeAttribute("aria-selected");
      at = (at + (e.key === "ArrowDown" ? 1 : -1) + items.length) % items.length;
      items[at].setAttribute("aria-selected", "true");
      items[at].scrollIntoView({ block: "nearest" });
    } else if ((e.key === "Enter" || e.key === "Tab") && at >= 0) {
      e.preventDefault();
      take(items[at].textContent ?? "");
    } else if (e.key === "Tab" && items.length && input.value) {
      e.preventDefault();
      take(items[0].textContent ?? "");
    } else if (e.key === "Escape") close();
  });
}
