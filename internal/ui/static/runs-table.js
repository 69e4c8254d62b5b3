// <runs-table>: the runs of an experiment. It draws only the rows in view, so that 100,000 runs
// scroll as ten do; the server's table stays where there is no JavaScript.

import { h, setURL, urlState, notice, confirmed, save } from "./dom.js";
import { post, listen, runsById, runURL } from "./api.js";
import { duration, state, when } from "./format.js";
import { RunRows } from "./run-rows.js";
import { column, valueOf, keysOf, spansOf, chooser, csv, orderOf } from "./run-columns.js";
import { complete } from "./filter-box.js";

/** @typedef {import("./api.js").Run} Run */
/** @typedef {import("./run-rows.js").Row} Row */

const ROW = 32; // height of a row; app.css has it too
const MARGIN = 8; // rows drawn above and below what is in view
const METRICS = 12, PARAMS = 8; // columns shown unless chosen
const fixed = [
  { id: "attributes.run_name", title: "Run", width: 240 }, { id: "attributes.status", title: "State", width: 104 },
  { id: "attributes.start_time", title: "Started", width: 104 }, { id: "", title: "Took", width: 88 },
];

class RunsTable extends HTMLElement {
  /** @type {string[]} */ experiments = [];
  /** @type {Record<string, string> | null} of several experiments, by id */ names = null;
  fixed = fixed;
  /** @type {RunRows | undefined} */ rows;
  /** @type {Set<string>} */ chosen = new Set();
  /** @type {Set<string>} */ flash = new Set();
  /** @type {Map<string, HTMLElement>} rows that are drawn, by place and run */ drawn = new Map();
  /** @type {import("./run-columns.js").Column[] | undefined} */ columns;
  /** @type {Map<string, [number, number]>} of metrics, for the bars */ spans = new Map();
  /** @type {string[]} that were seen */ keys = [];
  /** @type {Record<string, boolean>} what the visitor opened and closed */ folds = {};
  cursor = -1;
  lastPick = -1;
  fresh = true;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ timer;
  // Elements, made by build.
  /** @type {any} */ scroller;
  /** @type {any} */ table;
  /** @type {any} */ body;
  /** @type {any} */ above;
  /** @type {any} */ below;
  /** @type {any} */ count;
  /** @type {any} */ problem;
  /** @type {any} */ bulk;
  /** @type {any} */ panel;
  /** @type {any} */ news;

  connectedCallback() {
    this.experiments = (this.getAttribute("experiment") ?? "").split(",");
    this.names = JSON.parse(this.getAttribute("names") ?? "null");
    if (this.names) this.fixed = [fixed[0], { id: "", title: "Experiment", width: 180 }, ...fixed.slice(1)];
    this.folds = JSON.parse(localStorage.getItem(this.foldKey) ?? "{}");
    this.stop = this.names ? this.poll() : listen(this.experiments[0], (ids, many) => this.changes(ids, many));
    if (!this.querySelector("table")) return; // no runs: the page says how to make one
    this.build();
    this.enhanceFilter();
    addEventListener("popstate", () => this.restart());
    document.addEventListener("keydown", (e) => this.key(e));
    this.restart();
  }

  disconnectedCallback() {
    this.stop?.();
  }

  // poll reads the rows again now and then: a browser has too few connections to listen to many experiments.
  poll() {
    const timer = setInterval(() => !document.hidden && this.changes([], true), 10000);
    return () => clearInterval(timer);
  }

  get foldKey() {
    return `millpond.folds.${this.experiments}`;
  }

  // Nested runs stand below their parents unless the search is about single runs.
  get nested() {
    return urlState("group") !== "off" && !urlState("filter") && /^(attributes\..*)?$/.test(urlState("order"));
  }

  isOpen(/** @type {string} */ id, /** @type {boolean} */ few) {
    return this.folds[id] ?? few;
  }

  build() {
    this.scroller = this.querySelector(".scroll");
    this.table = this.querySelector("table");
    this.body = this.table.tBodies[0];
    this.above = h("tr", { class: "gap", "aria-hidden": "true" });
    this.below = h("tr", { class: "gap", "aria-hidden": "true" });
    this.querySelector(".more")?.remove();
    this.table.removeAttribute("data-keys"); // the element has keys of its own
    let waiting = false;
    this.scroller.addEventListener("scroll", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => ((waiting = false), this.draw()));
    }, { passive: true });
    addEventListener("resize", () => this.draw());
    this.count = h("span", { class: "dim count", role: "status" });
    this.problem = h("p", { class: "problem", role: "alert", hidden: true });
    this.bulk = h("span", { class: "bulk", hidden: true });
    this.panel = h("div", { class: "anchor" });
    this.news = h("button", { class: "news", hidden: true, onclick: () => this.restart() });
    const tools = /** @type {HTMLElement} */ (this.querySelector(".tools"));
    tools.prepend(this.count, this.news, this.bulk);
    tools.append(this.panel,
      h("button", { onclick: () => this.exportCSV() }, "CSV"));
    this.panel.append(h("button", { "aria-haspopup": "true", onclick: () => this.chooseColumns() }, "Columns"));
    tools.after(this.problem);
  }

  enhanceFilter() {
    const form = /** @type {HTMLFormElement | null} */ (this.querySelector("form.filter"));
    const input = /** @type {HTMLInputElement | null} */ (form?.querySelector("input[name=filter]") ?? null);
    if (!form || !input || !this.table) return;
    complete(input, () => this.keys, () => this.rows?.loaded() ?? []);
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      setURL({ filter: input.value.trim(), page: "" }, true);
      this.restart();
    });
    addEventListener("popstate", () => (input.value = urlState("filter")));
  }

  // restart reads the search from the address and begins at the top.
  async restart() {
    const rows = new RunRows(this.experiments,
      { filter: urlState("filter"), order: urlState("order"), view: urlState("view"), nested: this.nested },
      (id, few) => this.isOpen(id, few), (why) => this.rows === rows && this.changed(why));
    this.rows = rows;
    this.fresh = true;
    this.news.hidden = true;
    this.links();
    await rows.load(0);
  }

  // links keeps the page's own links in step with the address, which the element changes.
  links() {
    const clear = this.querySelector("a.clear");
    if (clear) clear.toggleAttribute("hidden", !urlState("filter"));
    for (const a of /** @type {NodeListOf<HTMLAnchorElement>} */ (this.querySelectorAll("a[data-part]"))) {
      const q = new URLSearchParams(location.search), { part = "", value = "" } = a.dataset;
      q.get(part) === value ? q.delete(part) : q.set(part, value);
      a.href = "?" + q;
    }
  }

  // changed is told that rows came, or what went wrong.
  changed(/** @type {string} */ why) {
    const bad = why !== "rows", { problem } = this;
    problem.hidden = !bad;
    problem.textContent = bad ? why : "";
    for (const p of this.querySelectorAll("p.problem")) if (p !== problem) p.remove();
    if (bad) return;
    if (this.fresh) this.begin();
    this.draw(true);
  }

  begin() {
    this.fresh = false;
    this.cursor = -1;
    const runs = this.rows?.loaded() ?? [];
    this.keys = [...new Set([...this.keys, ...keysOf(runs)])];
    this.setColumns(this.urlColumns() ?? this.usual(runs));
    this.scroller.scrollTop = 0;
    if (!performance.getEntriesByName("runs-ready").length) performance.mark("runs-ready"); // how soon one can work with the table
  }

  urlColumns() {
    const text = urlState("columns");
    return text ? text.split(",").filter((c) => c !== "none") : null;
  }

  usual(/** @type {Run[]} */ runs) {
    const all = keysOf(runs).filter((k) => !k.startsWith("metrics.system/"));
    return [...all.filter((k) => k.startsWith("metrics.")).slice(0, METRICS), ...all.filter((k) => k.startsWith("params.")).slice(0, PARAMS)];
  }

  // setColumns settles columns and their widths, which scrolling must not change.
  setColumns(/** @type {string[]} */ ids) {
    const runs = this.rows?.loaded().slice(0, 300) ?? [];
    const pen = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
    pen.font = getComputedStyle(document.body).font;
    const room = (/** @type {string} */ text) => Math.ceil(pen.measureText(text).width) + 28;
    this.columns = ids.map(column);
    this.spans = spansOf(runs);
    const widths = this.columns.map((c) => Math.max(c.kind === "metrics" ? 88 : 64, Math.min(260, Math.max(room(c.key) + 14, ...runs.slice(0, 60).map((r) => room(valueOf(r, c).text))))));
    const all = [36, ...this.fixed.map((f) => f.width), ...widths];
    this.table.querySelector("colgroup")?.remove();
    this.table.prepend(h("colgroup", {}, ...all.map((w) => h("col", { style: { width: `${w}px` } })), h("col")));
    this.table.style.width = `max(100%, ${all.reduce((a, b) => a + b, 0)}px)`;
    this.table.classList.add("virtual");
    this.drawHead();
    this.drawn.clear();
    this.draw(true);
  }

  drawHead() {
    const order = urlState("order");
    const head = (/** @type {string} */ id, /** @type {string} */ title, /** @type {string} */ kind) => {
      if (!id) return h("th", { class: title === "Took" ? "num" : "" }, title);
      const by = orderOf(id), dir = order === by + " ASC" ? "ascending" : order === by + " DESC" ? "descending" : undefined;
      const q = new URLSearchParams(location.search);
      q.set("order", by + (dir === "descending" || (!dir && kind !== "metrics" && id !== "attributes.start_time") ? " ASC" : dir ? " DESC" : " DESC"));
      return h("th", { class: kind === "metrics" ? "num" : "", "aria-sort": dir, title: kind ? `${kind}.${title}` : undefined, draggable: kind ? "true" : undefined, "data-column": kind ? id : undefined },
        h("a", { href: "?" + q, onclick: (/** @type {MouseEvent} */ e) => this.sort(e, q.get("order") ?? "") }, title, dir && h("span", { "aria-hidden": "true" }, dir === "ascending" ? " ↑" : " ↓")));
    };
    const row = h("tr", {}, h("th", { class: "pick" }, h("input", { type: "checkbox", "aria-label": "Choose all loaded runs", onchange: (/** @type {any} */ e) => this.chooseAll(e.target.checked) })),
      ...this.fixed.map((f) => head(f.id, f.title, "")), ...(this.columns ?? []).map((c) => head(c.id, c.key, c.kind)), h("th"));
    this.dragHeads(row);
    this.table.tHead.replaceChildren(row);
  }

  // dragHeads lets a column be dropped on another one's place.
  dragHeads(/** @type {HTMLElement} */ row) {
    let dragged = "";
    const id = (/** @type {Event} */ e) => /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (e.target).closest("[data-column]"))?.dataset.column ?? "";
    row.addEventListener("dragstart", (e) => (dragged = id(e)));
    row.addEventListener("dragover", (e) => id(e) && e.preventDefault());
    row.addEventListener("drop", (e) => {
      const ids = (this.columns ?? []).map((c) => c.id), to = ids.indexOf(id(e));
      if (!dragged || to < 0) return;
      const next = ids.filter((x) => x !== dragged);
      next.splice(to, 0, dragged);
      this.keepColumns(next);
    });
  }

  sort(/** @type {MouseEvent} */ e, /** @type {string} */ order) {
    if (e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    setURL({ order, page: "" }, true);
    this.restart();
  }

  keepColumns(/** @type {string[]} */ ids) {
    setURL({ columns: ids.length ? ids.join(",") : "none" });
    this.setColumns(ids);
  }

  chooseColumns() {
    const anchor = this.panel, open = anchor.querySelector(".panel");
    if (open) return open.remove();
    const panel = chooser(this.keys, (this.columns ?? []).map((c) => c.id), (ids) => this.keepColumns(ids));
    anchor.append(panel);
    panel.querySelector("input")?.focus();
    const away = (/** @type {Event} */ e) => {
      if (e instanceof KeyboardEvent ? e.key !== "Escape" : anchor.contains(/** @type {Node} */ (e.target))) return;
      panel.remove();
      ["pointerdown", "keydown"].forEach((t) => document.removeEventListener(t, away));
    };
    ["pointerdown", "keydown"].forEach((t) => document.addEventListener(t, away));
  }

  // draw shows the rows in view; all anew if their content may have changed.
  draw(anew = false) {
    const { rows, scroller, body } = this;
    if (!rows || !scroller || !body || !this.columns) return;
    if (anew) this.drawn.clear();
    const n = rows.count;
    const first = Math.max(0, Math.min(n - 1, Math.floor(scroller.scrollTop / ROW)) - MARGIN);
    const last = Math.min(n - 1, first + Math.ceil(scroller.clientHeight / ROW) + 2 * MARGIN);
    const next = new Map();
    for (let i = first; i <= last; i++) {
      const row = rows.at(i), key = row ? `${i} ${row.run.info.run_id}` : `${i}`;
      next.set(key, this.drawn.get(key) ?? (row ? this.row(row, i) : h("tr", { class: "wait" }, h("td", { colspan: this.columns.length + this.fixed.length + 2 }, "…"))));
    }
    this.drawn = next;
    this.above.style.height = `${first * ROW}px`;
    this.below.style.height = `${Math.max(0, n - 1 - last) * ROW}px`;
    body.replaceChildren(this.above, ...(n ? next.values() : [h("tr", {}, h("td", { colspan: this.columns.length + this.fixed.length + 2, class: "dim" }, rows.search.filter ? "No run matches this filter." : "No runs."))]), this.below);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => rows.need(first, last), this.drawn.size && [...next.keys()].some((k) => !k.includes(" ")) ? 60 : 0);
    this.tell();
  }

  tell() {
    const { rows } = this, n = this.chosen.size;
    if (!rows) return;
    const word = urlState("view") === "deleted" ? " deleted" : "";
    this.count.textContent = `${rows.total.toLocaleString("en")}${word} ${rows.total === 1 ? "run" : "runs"}${rows.search.nested && rows.opened.length ? ", nested ones below" : ""}`;
    const { bulk } = this;
    bulk.hidden = n === 0;
    if (n === Number(bulk.dataset.n)) return;
    bulk.dataset.n = String(n);
    const deleted = urlState("view") === "deleted";
    bulk.replaceChildren(`${n} chosen `,
      h("button", { class: "primary", disabled: n < 1, onclick: () => this.compare() }, "Compare ", h("kbd", {}, "c")),
      h("button", { onclick: () => this.move(deleted ? "restore" : "delete") }, deleted ? "Restore" : "Delete…"),
      h("button", { class: "quiet", onclick: () => this.chooseAll(false) }, "None"));
  }

  row(/** @type {Row} */ { run, depth, kids }, /** @type {number} */ i) {
    const { run_id: id, run_name, status, start_time, end_time } = run.info;
    const name = h("td", { class: "name" });
    if (depth) name.style.paddingLeft = `${12 + depth * 20}px`;
    const open = this.isOpen(id, (this.rows?.total ?? 0) <= 50);
    if (kids) name.append(h("button", { class: "fold", "aria-expanded": String(open), "aria-label": `${open ? "Hide" : "Show"} ${kids} nested runs`, onclick: () => this.fold(id, !open) }, open ? "▾" : "▸"));
    name.append(h("a", { href: runURL(run), title: run_name }, run_name || id), kids ? h("span", { class: "dim" }, ` ${kids}`) : "");
    const tr = h("tr", { "data-id": id, class: (i === this.cursor ? "at " : "") + (this.flash.has(id) ? "flash" : "") },
      h("td", { class: "pick" }, h("input", { type: "checkbox", "aria-label": `Choose ${run_name}`, checked: this.chosen.has(id), onclick: (/** @type {MouseEvent} */ e) => this.pick(i, e.shiftKey) })),
      name, this.names && h("td", { title: this.names[run.info.experiment_id] }, this.names[run.info.experiment_id] ?? run.info.experiment_id), h("td", {}, state(status)), h("td", {}, when(start_time)), h("td", { class: "num" }, end_time ? duration(Math.max(0, end_time - start_time)) : ""));
    for (const c of this.columns ?? []) tr.append(this.cell(run, c));
    tr.append(h("td"));
    return tr;
  }

  cell(/** @type {Run} */ run, /** @type {import("./run-columns.js").Column} */ c) {
    const v = valueOf(run, c);
    if (v.num === undefined) return h("td", { title: v.full || undefined, class: c.kind === "metrics" ? "num" : "" }, v.text);
    const td = h("td", { class: "num bar", title: v.full }, v.text), span = this.spans.get(c.id);
    if (span && Number.isFinite(v.num)) {
      const part = span[1] > span[0] ? Math.max(0, Math.min(1, (v.num - span[0]) / (span[1] - span[0]))) : 1;
      td.style.setProperty("--part", `${4 + 96 * part}%`);
    }
    return td;
  }

  async fold(/** @type {string} */ id, /** @type {boolean} */ open) {
    this.folds[id] = open;
    const keys = Object.keys(this.folds);
    if (keys.length > 500) delete this.folds[keys[0]];
    localStorage.setItem(this.foldKey, JSON.stringify(this.folds));
    await this.rows?.toggle(id);
  }

  pick(/** @type {number} */ i, range = false) {
    const id = this.rows?.at(i)?.run.info.run_id;
    if (!id) return;
    const on = !this.chosen.has(id);
    const from = range && this.lastPick >= 0 ? Math.min(i, this.lastPick) : i, to = range && this.lastPick >= 0 ? Math.max(i, this.lastPick) : i;
    for (let k = from; k <= to; k++) {
      const one = this.rows?.at(k)?.run.info.run_id;
      if (one) on ? this.chosen.add(one) : this.chosen.delete(one);
    }
    this.lastPick = i;
    this.draw(true);
  }

  chooseAll(/** @type {boolean} */ on) {
    this.chosen.clear();
    if (on) for (const r of this.rows?.loaded() ?? []) this.chosen.add(r.info.run_id);
    const box = this.table.querySelector("thead input");
    if (box) box.checked = on;
    this.draw(true);
  }

  compare() {
    const ids = [...this.chosen].slice(0, 200);
    if (this.chosen.size > 200) notice("The first 200 chosen runs are compared.");
    if (ids.length) location.href = "/compare?runs=" + ids.join(",");
  }

  async move(/** @type {"delete" | "restore"} */ how) {
    const ids = [...this.chosen], n = ids.length;
    if (how === "delete" && !(await confirmed(`Delete ${n} ${n === 1 ? "run" : "runs"}? They leave this table, and can be restored from “Deleted”.`, `Delete ${n}`))) return;
    let failed = "";
    for (const [i, run_id] of ids.entries()) {
      this.count.textContent = `${how === "delete" ? "deleting" : "restoring"} ${i + 1} of ${n}`;
      await post(`runs/${how}`, { run_id }).catch((e) => (failed = e.message));
    }
    this.chosen.clear();
    await this.restart();
    const undo = how === "delete" ? { label: "Undo", do: () => ids.reduce((p, id) => p.then(() => post("runs/restore", { run_id: id })), Promise.resolve()).then(() => this.restart()) } : undefined;
    notice(failed || `${n} ${n === 1 ? "run" : "runs"} ${how}d.`, failed ? undefined : undo);
  }

  async exportCSV() {
    let go = true;
    const stop = h("button", { onclick: () => (go = false) }, "Stop");
    this.panel?.before(stop);
    try {
      const runs = await this.rows?.everything((done, total) => {
        this.count.textContent = `reading ${done.toLocaleString("en")} of ${total.toLocaleString("en")} runs`;
        return go;
      });
      if (go && runs) save("runs.csv", "text/csv", csv(runs, (this.columns ?? []).map((c) => c.id)));
    } catch (e) {
      notice(/** @type {Error} */ (e).message);
    }
    stop.remove();
    this.tell();
  }

  // changes brings the rows up to date without moving what is being read.
  async changes(/** @type {string[]} */ ids, /** @type {boolean} */ many) {
    const { rows } = this;
    if (!rows) {
      if (ids.length && this.querySelector("pre")) location.reload(); // the first run of an experiment
      return;
    }
    try {
      if (many) return void (await Promise.all([...rows.pages.keys()].map((p) => rows.load(p))));
      const here = new Set(rows.loaded().map((r) => r.info.run_id));
      const fresh = await runsById(this.experiments, ids.slice(0, 500));
      if (rows !== this.rows) return;
      const stage = urlState("view") === "deleted" ? "deleted" : "active";
      const gone = fresh.some((r) => here.has(r.info.run_id) && r.info.lifecycle_stage !== stage);
      const strangers = await rows.adopt(rows.update(fresh.filter((r) => r.info.lifecycle_stage === stage)));
      this.keys = [...new Set([...this.keys, ...keysOf(fresh)])];
      this.flash = new Set(ids);
      setTimeout(() => (this.flash = new Set()), 400);
      if ((strangers.length || gone) && this.scroller.scrollTop < ROW && !urlState("filter") && !urlState("order")) return void (await rows.load(0));
      if (strangers.length || gone) this.tellNews(strangers.length);
      if (!this.urlColumns() && (this.columns?.length ?? 0) === 0) this.setColumns(this.usual(rows.loaded()));
      this.draw(true);
    } catch {
      // The server is being restarted: the next change finds it again.
    }
  }

  tellNews(/** @type {number} */ n) {
    const { news } = this;
    news.hidden = false;
    news.textContent = n ? `${n} new or changed · show` : "Runs changed · show";
  }

  key(/** @type {KeyboardEvent} */ e) {
    const at = /** @type {HTMLElement} */ (e.target);
    if (e.ctrlKey || e.metaKey || e.altKey || at.matches("textarea, select, dialog *, input:not([type=checkbox])")) return;
    const move = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[e.key];
    if (move && (e.key.length === 1 || this.cursor >= 0)) {
      e.preventDefault();
      this.cursor = Math.max(0, Math.min((this.rows?.count ?? 1) - 1, this.cursor + move));
      this.reveal();
    } else if (e.key === "x" && this.cursor >= 0) this.pick(this.cursor);
    else if (e.key === "c" && this.chosen.size) this.compare();
    else if (e.key === "Enter" && this.cursor >= 0 && !at.matches("a, button, summary")) {
      const run = this.rows?.at(this.cursor)?.run;
      if (run) location.href = runURL(run);
    } else if (e.key === "Escape" && this.chosen.size) this.chooseAll(false);
  }

  reveal() {
    const box = this.scroller, head = ROW + 2, top = this.cursor * ROW;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + ROW + head > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW + head - box.clientHeight;
    this.draw(true);
  }
}

customElements.define("runs-table", RunsTable);
