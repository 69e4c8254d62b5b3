// <metric-curves>: a run's metrics over its steps. The table of last values stands in the page
// already; curves are added above it for the metrics that have more than one point.

import { h } from "./dom.js";
import { get, history, listen, metricOf } from "./api.js";
import { number, look } from "./format.js";
import { curveChart, curveLook, lookBar, series } from "./curves.js";

const AT_ONCE = 6; // requests

class MetricCurves extends HTMLElement {
  run = "";
  /** @type {Map<string, import("./api.js").Point[]>} */ points = new Map();
  /** @type {Map<string, {el: HTMLElement, redraw: () => void}>} */ charts = new Map();
  /** @type {any} */ grid;
  /** @type {(() => void) | undefined} */ stop;

  async connectedCallback() {
    this.run = this.getAttribute("run") ?? "";
    this.bar = lookBar(() => this.charts.forEach((c) => c.redraw()));
    this.grid = h("div", { class: "charts" });
    this.system = h("div", { class: "charts" });
    this.systemPart = h("details", { hidden: true }, h("summary", {}, "System metrics"), this.system);
    this.append(h("div", { class: "side" }, this.bar, this.grid, this.systemPart));
    const rows = [.../** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll("tr[data-metric]"))];
    await this.load(rows.map((r) => r.dataset.metric ?? ""));
    if (this.getAttribute("status") === "RUNNING") this.stop = listen(this.getAttribute("experiment") ?? "", (ids, many) => (many || ids.includes(this.run)) && this.refresh());
  }

  disconnectedCallback() {
    this.stop?.();
  }

  async load(/** @type {string[]} */ keys) {
    const queue = [...keys];
    const work = async () => {
      for (let key = queue.shift(); key !== undefined; key = queue.shift()) {
        const points = await history(this.run, key).catch(() => []);
        this.points.set(key, points);
        if (points.length > 1) this.show(key, keys);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  show(/** @type {string} */ key, /** @type {string[]} */ order) {
    const old = this.charts.get(key);
    if (old) return old.redraw();
    const made = curveChart(key, () => {
      const now = curveLook();
      return { look: now, lines: [series(this.run, key, { ...look(this.run), dash: "" }, this.points.get(key) ?? [], now)] };
    });
    this.charts.set(key, made);
    const system = key.startsWith("system/"), grid = system ? this.system : this.grid;
    const after = [...this.charts.keys()].filter((k) => order.indexOf(k) > order.indexOf(key)).sort((a, b) => order.indexOf(a) - order.indexOf(b))
      .map((k) => this.charts.get(k)?.el).find((el) => el?.parentNode === grid);
    grid.insertBefore(made.el, after ?? null);
    this.classList.add("drawn"); // there is something beside the table now
    if (system) /** @type {HTMLElement} */ (this.systemPart).hidden = false;
  }

  // refresh brings the table and the curves up to date; a run that ended is shown anew, whole.
  async refresh() {
    const { run } = await get("runs/get", { run_id: this.run });
    if (run.info.status !== "RUNNING") return location.reload();
    const keys = (run.data.metrics ?? []).map((/** @type {any} */ m) => m.key);
    const body = /** @type {HTMLTableElement} */ (this.querySelector("table")).tBodies[0];
    for (const m of run.data.metrics ?? []) {
      let row = [...body.rows].find((r) => r.dataset.metric === m.key);
      if (!row) body.append((row = h("tr", { "data-metric": m.key }, h("td", {}, m.key), h("td", { class: "num" }), h("td", { class: "num" }), h("td"))));
      const cells = /** @type {HTMLTableRowElement} */ (row).cells, v = metricOf(run, m.key) ?? NaN;
      cells[1].textContent = number(v);
      cells[1].title = String(v);
      cells[2].textContent = String(m.step);
    }
    await this.load(keys);
  }
}

customElements.define("metric-curves", MetricCurves);
