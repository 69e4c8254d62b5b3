// A runs table's columns: what they are, how a run's cell reads, and the panel that chooses them.

import { h } from "./dom.js";
import { metricOf, paramOf, tagOf } from "./api.js";
import { number } from "./format.js";

/** @typedef {import("./api.js").Run} Run */
/** @typedef {{id: string, kind: string, key: string}} Column */

/** column reads "metrics.rmse", "params.depth" or "tags.owner". @param {string} id @returns {Column} */
export function column(id) {
  const dot = id.indexOf(".");
  return { id, kind: id.slice(0, dot), key: id.slice(dot + 1) };
}

/** orderOf is a column in the grammar of order_by. @param {string} id */
export const orderOf = (id) => (id.startsWith("attributes.") ? id : `${column(id).kind}.\`${column(id).key}\``);

/** valueOf is a run's cell: as text, and as a number where it is a metric. @param {Run} run @param {Column} c @returns {{text: string, full: string, num?: number}} */
export function valueOf(run, c) {
  if (c.kind === "metrics") {
    const v = metricOf(run, c.key);
    return v === undefined ? { text: "", full: "" } : { text: number(v), full: String(v), num: v };
  }
  const v = (c.kind === "params" ? paramOf(run, c.key) : tagOf(run, c.key)) ?? "";
  return { text: v, full: v };
}

/** keysOf lists the columns that runs have, the most used first. @param {Run[]} runs */
export function keysOf(runs) {
  /** @type {Map<string, number>} */
  const used = new Map();
  const add = (/** @type {string} */ id) => used.set(id, (used.get(id) ?? 0) + 1);
  for (const r of runs) {
    for (const m of r.data.metrics ?? []) add("metrics." + m.key);
    for (const p of r.data.params ?? []) add("params." + p.key);
    for (const t of r.data.tags ?? []) if (!t.key.startsWith("mlflow.")) add("tags." + t.key);
  }
  const rank = ["metrics", "params", "tags"];
  return [...used].sort(([a, n], [b, m]) => rank.indexOf(column(a).kind) - rank.indexOf(column(b).kind) || m - n || (a < b ? -1 : 1)).map(([id]) => id);
}

/** spansOf gives each metric's least and greatest value. @param {Run[]} runs @returns {Map<string, [number, number]>} */
export function spansOf(runs) {
  const out = new Map();
  for (const r of runs) {
    for (const m of r.data.metrics ?? []) {
      const v = Number(m.value), s = out.get("metrics." + m.key);
      if (!Number.isFinite(v)) continue;
      if (!s) out.set("metrics." + m.key, [v, v]);
      else (s[0] = Math.min(s[0], v)), (s[1] = Math.max(s[1], v));
    }
  }
  return out;
}

/** chooser is the panel that shows, hides and reorders columns. @param {string[]} all @param {string[]} shown @param {(shown: string[]) => void} choose */
export function chooser(all, shown, choose) {
  let dragged = "";
  const find = h("input", { type: "search", placeholder: "find a column", "aria-label": "Find a column", oninput: () => draw() });
  const list = h("ul", { class: "plain" });
  const set = (/** @type {string[]} */ next) => {
    shown = next;
    draw();
    choose(shown);
  };
  const move = (/** @type {string} */ id, /** @type {number} */ to) => {
    const next = shown.filter((x) => x !== id);
    next.splice(Math.max(0, to), 0, id);
    set(next);
  };
  const item = (/** @type {string} */ id, /** @type {number} */ at) => {
    const on = at >= 0;
    return h("li", {
      draggable: on ? "true" : undefined, ondragstart: () => (dragged = id),
      ondragover: (/** @type {Event} */ e) => on && e.preventDefault(), ondrop: () => on && dragged && move(dragged, at),
    },
      h("label", {}, h("input", { type: "checkbox", checked: on, onchange: () => set(on ? shown.filter((x) => x !== id) : [...shown, id]) }), h("span", { class: "dim" }, column(id).kind), " ", column(id).key),
      on && h("span", { class: "moves" },
        h("button", { class: "quiet", title: "Further left", "aria-label": `${id} further left`, disabled: at === 0, onclick: () => move(id, at - 1) }, "↑"),
        h("button", { class: "quiet", title: "Further right", "aria-label": `${id} further right`, disabled: at === shown.length - 1, onclick: () => move(id, at + 1) }, "↓")));
  };
  const draw = () => {
    const part = find.value.toLowerCase();
    const rest = all.filter((id) => !shown.includes(id));
    list.replaceChildren(...[...shown.map((id, i) => ({ id, i })), ...rest.map((id) => ({ id, i: -1 }))]
      .filter(({ id }) => id.toLowerCase().includes(part)).slice(0, 300).map(({ id, i }) => item(id, i)));
  };
  draw();
  return h("div", { class: "panel" }, h("div", { class: "row" }, find,
    h("button", { onclick: () => set([]) }, "None"), h("button", { onclick: () => set(all.slice(0, 200)) }, "All")), list);
}

/** csv writes runs as shown. @param {Run[]} runs @param {string[]} columns */
export function csv(runs, columns) {
  // A cell that begins like a formula is kept from being one in a spreadsheet.
  const cell = (/** @type {string} */ v) => {
    const text = /^[=+@\t\r]|^-(?![\d.])/.test(v) ? "'" + v : v;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const line = (/** @type {string[]} */ cells) => cells.map(cell).join(",");
  const time = (/** @type {number | undefined} */ t) => (t ? new Date(t).toISOString() : "");
  const out = [line(["run_id", "run_name", "status", "start_time", "end_time", ...columns])];
  for (const r of runs) {
    const i = r.info;
    out.push(line([i.run_id, i.run_name, i.status, time(i.start_time), time(i.end_time), ...columns.map((c) => valueOf(r, column(c)).full)]));
  }
  return out.join("\r\n") + "\r\n";
}
