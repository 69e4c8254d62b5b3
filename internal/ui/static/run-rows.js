// The rows of a runs table: a window on a search of any length, with nested runs below their
// parents. It knows no page: it is asked for a row by its place and says when rows have come.

import { windowOf, tagOf } from "./api.js";
import { grouped } from "./filter-box.js";

/** @typedef {import("./api.js").Run} Run */
/** @typedef {{run: Run, depth: number, kids: number}} Row */
/** @typedef {{filter: string, order: string, view: string, nested: boolean}} Search */

const PAGE = 200; // runs of one request
const MOST_PAGES = 40; // kept in memory, but those with open parents
const DEEPEST = 8; // nesting that is followed
const MOST_KIDS = 1000; // nested runs shown below one parent

export class RunRows {
  /** @param {string[]} experiments @param {Search} search @param {(id: string, few: boolean) => boolean} isOpen @param {(why: string) => void} changed */
  constructor(experiments, search, isOpen, changed) {
    this.experiments = experiments;
    this.search = search;
    this.isOpen = isOpen;
    this.changed = changed;
    this.total = 0;
    /** @type {Map<number, Run[]>} */ this.pages = new Map();
    /** @type {Map<number, AbortController>} */ this.loading = new Map();
    /** @type {Map<string, Run[]>} */ this.nested = new Map();
    /** @type {Map<string, number>} */ this.kids = new Map();
    /** @type {{at: number, rows: Row[]}[]} */ this.opened = [];
  }

  body(/** @type {any} */ more) {
    const { filter, order, view } = this.search;
    const start = "attributes.start_time DESC";
    return { experiment_ids: this.experiments, filter: grouped(filter), order_by: order ? [order, start] : [start], run_view_type: view === "deleted" ? "DELETED_ONLY" : "ACTIVE_ONLY", ...more };
  }

  /** count is how many rows there are, the opened nested ones too. */
  get count() {
    return this.opened.reduce((n, o) => n + o.rows.length, this.total);
  }

  /** at finds the row at a place, null while it is not loaded. @param {number} i @returns {Row | null} */
  at(i) {
    for (const o of this.opened) {
      if (i <= o.at) break;
      if (i <= o.at + o.rows.length) return o.rows[i - o.at - 1];
      i -= o.rows.length;
    }
    const run = this.pages.get(Math.floor(i / PAGE))?.[i % PAGE];
    return run ? { run, depth: 0, kids: this.kids.get(run.info.run_id) ?? 0 } : null;
  }

  /** top is the place among runs below none, of a row's place. @param {number} i */
  top(i) {
    for (const o of this.opened) {
      if (i <= o.at) break;
      i = Math.max(o.at, i - o.rows.length);
    }
    return i;
  }

  /** need loads the pages of a range of rows and gives up loading others. @param {number} first @param {number} last */
  need(first, last) {
    const from = Math.floor(this.top(first) / PAGE), to = Math.floor(this.top(Math.max(first, last)) / PAGE);
    for (const [page, stop] of this.loading) if (page < from - 1 || page > to + 1) stop.abort(), this.loading.delete(page);
    const wanted = [];
    for (let p = from; p <= to; p++) if (!this.pages.has(p) && !this.loading.has(p)) wanted.push(this.load(p));
    return Promise.all(wanted);
  }

  /** load reads one page, again if it is there. @param {number} page */
  async load(page) {
    this.loading.get(page)?.abort();
    const stop = new AbortController();
    this.loading.set(page, stop);
    try {
      const got = await windowOf(this.body({ offset: page * PAGE, max_results: PAGE, parent: this.search.nested ? "" : undefined }), stop.signal);
      if (stop.signal.aborted) return;
      this.total = got.total;
      this.pages.delete(page);
      this.pages.set(page, got.runs);
      for (const r of got.runs) this.kids.set(r.info.run_id, this.search.nested ? (got.children?.[r.info.run_id] ?? 0) : 0);
      this.evict(page);
      await this.openParents(got.runs);
      this.changed("rows");
    } catch (e) {
      if (!stop.signal.aborted) this.changed(/** @type {Error} */ (e).message);
    } finally {
      if (this.loading.get(page) === stop) this.loading.delete(page);
    }
  }

  evict(/** @type {number} */ but) {
    const held = new Set(this.opened.map((o) => Math.floor(o.at / PAGE)));
    for (const p of this.pages.keys()) {
      if (this.pages.size <= MOST_PAGES) return;
      if (p !== but && !held.has(p)) this.pages.delete(p);
    }
  }

  /** @param {Run[]} runs */
  async openParents(runs) {
    if (!this.search.nested) return;
    const ids = runs.map((r) => r.info.run_id).filter((id) => this.kids.get(id) && this.isOpen(id, this.total <= 50));
    await Promise.all(ids.map((id) => this.loadNested(id)));
    this.settle();
  }

  /** loadNested reads the runs below a parent, and below those that are open. @param {string} id @param {number} [depth] */
  async loadNested(id, depth = 1) {
    const got = await windowOf(this.body({ parent: id, max_results: MOST_KIDS, filter: "" }));
    this.nested.set(id, got.runs);
    for (const r of got.runs) this.kids.set(r.info.run_id, got.children?.[r.info.run_id] ?? 0);
    if (depth < DEEPEST) await Promise.all(got.runs.map((r) => r.info.run_id).filter((k) => k !== id && this.kids.get(k) && this.isOpen(k, this.total <= 50)).map((k) => this.loadNested(k, depth + 1)));
  }

  /** toggle opens or closes a parent. @param {string} id */
  async toggle(id) {
    if (this.isOpen(id, this.total <= 50) && !this.nested.has(id)) await this.loadNested(id);
    this.settle();
    this.changed("rows");
  }

  // settle works out which nested rows stand where.
  settle() {
    const few = this.total <= 50;
    /** @type {(id: string, depth: number) => Row[]} */
    const below = (id, depth) => (depth > DEEPEST || !this.isOpen(id, few) ? [] : (this.nested.get(id) ?? []).flatMap((run) => [
      { run, depth, kids: this.kids.get(run.info.run_id) ?? 0 }, ...below(run.info.run_id, depth + 1)]));
    this.opened = [];
    for (const [page, runs] of this.pages) {
      runs.forEach((r, i) => {
        const rows = this.kids.get(r.info.run_id) ? below(r.info.run_id, 1) : [];
        if (rows.length) this.opened.push({ at: page * PAGE + i, rows });
      });
    }
    this.opened.sort((a, b) => a.at - b.at);
  }

  /** loaded lists the runs in memory. @returns {Run[]} */
  loaded() {
    return [...this.pages.values(), ...this.nested.values()].flat();
  }

  /** update puts fresh runs in the place of old ones and returns those that were not there. @param {Run[]} fresh */
  update(fresh) {
    const by = new Map(fresh.map((r) => [r.info.run_id, r]));
    for (const runs of [...this.pages.values(), ...this.nested.values()]) {
      runs.forEach((r, i) => {
        const now = by.get(r.info.run_id);
        if (now) (runs[i] = now), by.delete(r.info.run_id);
      });
    }
    this.settle();
    return [...by.values()];
  }

  /** adopt reloads the nested runs of parents that got new ones; it returns the runs that have no parent here. @param {Run[]} strangers */
  async adopt(strangers) {
    const rest = [], parents = new Set();
    for (const r of strangers) {
      const p = tagOf(r, "mlflow.parentRunId");
      if (this.search.nested && p && this.kids.has(p)) parents.add(p);
      else rest.push(r);
    }
    for (const p of parents) {
      if (this.nested.has(p) || this.isOpen(p, this.total <= 50)) await this.loadNested(p);
      this.kids.set(p, Math.max(this.nested.get(p)?.length ?? 0, (this.kids.get(p) ?? 0) || 1));
    }
    this.settle();
    return rest;
  }

  /** everything reads all rows of the search, nested or not, for export. @param {(done: number, total: number) => boolean} goOn @returns {Promise<Run[]>} */
  async everything(goOn) {
    const all = [];
    for (let offset = 0; ; offset += 1000) {
      const got = await windowOf(this.body({ offset, max_results: 1000 }));
      all.push(...got.runs);
      if (!goOn(all.length, got.total) || all.length >= got.total || !got.runs.length) return all;
    }
  }
}
