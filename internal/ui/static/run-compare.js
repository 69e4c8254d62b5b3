// <run-compare>: charts of chosen runs above the table of what differs. A brush in one chart
// keeps runs in all of them and in the table.

import { h, svg, select, setURL, urlState } from "./dom.js";
import { history, metricOf, paramOf, runsById } from "./api.js";
import { look } from "./format.js";
import { chart, drag, extent, frame, padded, tip } from "./plot.js";
import { curveChart, curveLook, lookBar, series } from "./curves.js";
import { parallel } from "./parallel.js";
import { importance } from "./importance.js";
import { contour } from "./contour.js";

/** @typedef {import("./api.js").Run} Run */
/** @typedef {import("./parallel.js").Dimension} Dimension */

const MOST_AXES = 8; // to begin with

class RunCompare extends HTMLElement {
  /** @type {Run[]} */ runs = [];
  /** @type {Set<string>} runs that every brush keeps */ kept = new Set();
  /** @type {Dimension[]} that differ, parameters first */ dimensions = [];
  /** @type {Map<string, import("./api.js").Point[]>} by run, of the metric that is shown */ points = new Map();
  /** @type {{redraw: () => void}[]} */ charts = [];

  async connectedCallback() {
    const ids = (this.getAttribute("runs") ?? "").split(",").filter(Boolean);
    try {
      this.runs = await runsById((this.getAttribute("experiments") ?? "").split(","), ids);
    } catch (e) {
      return this.append(h("p", { class: "problem" }, /** @type {Error} */ (e).message));
    }
    this.kept = new Set(this.runs.map((r) => r.info.run_id));
    this.dimensions = dimensionsOf(this.runs);
    this.table = /** @type {HTMLTableElement | null | undefined} */ (this.parentElement?.querySelector("table.diff"));
    for (const th of this.table?.querySelectorAll("th[data-id]") ?? []) th.prepend(h("i", { class: "swatch", style: { background: look(/** @type {HTMLElement} */ (th).dataset.id ?? "").color } }));
    if (this.runs.length < 2) return;
    this.status = h("p", { class: "dim", role: "status" });
    this.append(this.parallelPart(), this.status, h("div", { class: "charts two" }, this.scatterPart(), this.contourPart(), this.importancePart()), this.curvesPart());
    this.tell();
  }

  metrics() {
    return [...new Set(this.runs.flatMap((r) => (r.data.metrics ?? []).map((m) => m.key)))].sort();
  }

  // main is the metric to begin with: the one in the address, else a measure of how good a model is.
  main() {
    const all = this.metrics().filter((m) => this.dimensions.some((d) => d.id === "metrics." + m)), wanted = urlState("metric");
    if (all.includes(wanted)) return wanted;
    const good = ["val", "test", "rmse", "auc", "f1", "accuracy", "r2", "mae", "loss"].flatMap((w) => all.filter((m) => m.split(/[^a-z0-9]+/i)[0]?.toLowerCase() === w));
    return good[0] ?? all[0] ?? "";
  }

  // keep shows these runs only, all if null.
  keep(/** @type {Set<string> | null} */ kept) {
    this.kept = kept ?? new Set(this.runs.map((r) => r.info.run_id));
    this.tell();
    for (const c of this.charts) c.redraw();
  }

  tell() {
    const n = this.kept.size, all = this.runs.length;
    this.status?.replaceChildren(n === all ? "Drag along an axis, or over the scatter, to keep some runs." : `${n} of ${all} runs kept, in the table too. `,
      n < all ? h("button", { onclick: () => (this.lines?.clear(), this.keep(null)) }, "Show all") : "");
    const heads = [...(this.table?.tHead?.rows[0].cells ?? [])];
    const hide = heads.map((th) => !!th.dataset.id && !this.kept.has(th.dataset.id));
    for (const row of this.table?.rows ?? []) [...row.cells].forEach((cell, i) => (cell.hidden = hide[i]));
  }

  parallelPart() {
    let shown = usualAxes(this.dimensions);
    let tint = this.main() && "metrics." + this.main();
    this.lines = parallel(() => ({
      lines: this.runs.map((r) => ({ id: r.info.run_id, name: r.info.run_name, color: look(r.info.run_id).color })),
      dimensions: shown.flatMap((id) => this.dimensions.find((d) => d.id === id) ?? []), by: tint, kept: this.kept,
    }), (kept) => this.keep(kept));
    this.charts.push(this.lines);
    const boxes = this.dimensions.map((d) => h("label", { class: "field" }, h("input", {
      type: "checkbox", checked: shown.includes(d.id), onchange: (/** @type {any} */ e) => {
        shown = e.target.checked ? [...shown, d.id] : shown.filter((x) => x !== d.id);
        this.lines?.redraw();
      },
    }), d.name));
    return h("div", {}, h("div", { class: "tools look" },
      select("colour by", [["", "run"], ...this.dimensions.map((d) => /** @type {[string, string]} */ ([d.id, d.name]))], tint, (v) => ((tint = v), this.lines?.redraw())),
      h("details", { class: "anchor" }, h("summary", { class: "button" }, "Axes"), h("div", { class: "panel" }, ...boxes))), this.lines.el);
  }

  scatterPart() {
    const numbers = this.dimensions.filter((d) => d.numbers), names = numbers.map((d) => /** @type {[string, string]} */ ([d.id, d.name]));
    if (numbers.length < 2) return h("p", { class: "dim" }, "Two numbers that differ make a scatter.");
    let y = numbers.find((d) => d.id === "metrics." + this.main()) ?? numbers[1];
    const strongest = this.weigh(this.runs, this.main()).find((p) => !p.words)?.name; // beside a number that goes with it
    let x = numbers.find((d) => d.id === "params." + strongest) ?? numbers.find((d) => d !== y) ?? numbers[0];
    const of = (/** @type {string} */ id) => numbers.find((d) => d.id === id) ?? numbers[0];
    const c = chart("Any two", (body, width) => {
      const value = (/** @type {Dimension} */ d, /** @type {Run} */ r) => Number(d.values.get(r.info.run_id) ?? NaN);
      const dots = this.runs.map((r) => ({ r, vx: value(x, r), vy: value(y, r) })).filter((p) => Number.isFinite(p.vx) && Number.isFinite(p.vy));
      const f = frame(width, 280, padded(extent(dots.map((p) => p.vx), x.name)), padded(extent(dots.map((p) => p.vy), y.name)), 12, true);
      const root = svg("svg", { width, height: 280, role: "img", "aria-label": `${y.name} against ${x.name}` }, f.g);
      for (const p of dots) {
        const id = p.r.info.run_id;
        root.append(svg("circle", {
          class: this.kept.has(id) ? "dot" : "dot away", cx: f.sx.at(p.vx), cy: f.sy.at(p.vy), r: 5, fill: look(id).color,
          onpointerenter: () => tip(body, f.sx.at(p.vx), f.sy.at(p.vy), [h("b", {}, p.r.info.run_name), h("div", {}, `${x.name} ${p.vx}`), h("div", {}, `${y.name} ${p.vy}`)]), onpointerleave: () => tip(body, 0, 0, []),
        }));
      }
      body.replaceChildren(root);
      drag(root, f.box, true, (s) => {
        const inside = s && dots.filter((p) => f.sx.at(p.vx) >= s.x0 && f.sx.at(p.vx) <= s.x1 && f.sy.at(p.vy) >= s.y0 && f.sy.at(p.vy) <= s.y1);
        this.keep(inside && inside.length ? new Set(inside.map((p) => p.r.info.run_id)) : null);
      });
    });
    this.charts.push(c);
    return h("div", {}, h("div", { class: "tools look" }, select("x", names, x.id, (v) => ((x = of(v)), c.redraw())), select("y", names, y.id, (v) => ((y = of(v)), c.redraw()))), c.el);
  }

  contourPart() {
    const metrics = this.dimensions.filter((d) => d.numbers && d.id.startsWith("metrics.")), params = this.dimensions.filter((d) => d.numbers && d.id.startsWith("params."));
    if (params.length < 2 || !metrics.length) return h("p", { class: "dim" }, "Two parameters with numbers that differ, and a metric, make a contour plot.");
    const order = this.weigh(this.runs, this.main()).map((p) => p.name); // the strongest first
    const place = (/** @type {Dimension} */ d) => (order.includes(d.name) ? order.indexOf(d.name) : order.length);
    let [x, y] = [...params].sort((a, b) => place(a) - place(b)), z = metrics.find((d) => d.name === this.main()) ?? metrics[0];
    const c = contour(() => {
      const value = (/** @type {Dimension} */ d, /** @type {string} */ id) => Number(d.values.get(id) ?? NaN);
      const dots = this.runs.map(({ info: { run_id: id, run_name: name } }) => ({ id, name, color: look(id).color, x: value(x, id), y: value(y, id), z: value(z, id), kept: this.kept.has(id) }));
      return { dots: dots.filter((d) => Number.isFinite(d.x) && Number.isFinite(d.y) && Number.isFinite(d.z)), x: x.name, y: y.name, z: z.name };
    });
    this.charts.push(c);
    const choice = (/** @type {string} */ label, /** @type {Dimension[]} */ all, /** @type {Dimension} */ now, /** @type {(d: Dimension) => void} */ set) =>
      select(label, all.map((d) => [d.id, d.name]), now.id, (v) => (set(all.find((d) => d.id === v) ?? now), c.redraw()));
    return h("div", { class: "contour" }, h("div", { class: "tools look" }, choice("x", params, x, (d) => (x = d)), choice("y", params, y, (d) => (y = d)), choice("metric", metrics, z, (d) => (z = d))), c.el);
  }

  weigh(/** @type {Run[]} */ runs, /** @type {string} */ metric) {
    const params = this.dimensions.filter((d) => d.id.startsWith("params."));
    return importance(params.map((d) => ({ name: d.name, values: runs.map((r) => paramOf(r, d.name)) })), runs.map((r) => metricOf(r, metric) ?? NaN));
  }

  importancePart() {
    const metrics = this.metrics();
    let metric = this.main();
    const list = h("div", { class: "importance" });
    const draw = () => {
      const runs = this.runs.filter((r) => this.kept.has(r.info.run_id));
      const found = this.weigh(runs, metric);
      list.replaceChildren(...(found.length ? found.slice(0, 12).map((p) => h("div", { class: "weigh", title: p.words ? "correlation ratio of ranks, over words" : "Spearman's rank correlation" },
        h("span", { class: "name" }, p.name), h("span", { class: "track" }, h("i", { class: p.measure < 0 ? "minus" : "", style: { width: `${Math.abs(p.measure) * 100}%` } })),
        h("span", { class: "num" }, `${p.words ? "" : p.measure < 0 ? "−" : "+"}${Math.abs(p.measure).toFixed(2)}`), h("span", { class: "dim num" }, `${p.runs} runs`)))
        : [h("p", { class: "dim" }, "At least three runs with a parameter that differs are needed.")]));
    };
    this.charts.push({ redraw: draw });
    draw();
    return h("div", {}, h("div", { class: "tools look" }, select("with", metrics.map((m) => [m, m]), metric, (v) => ((metric = v), draw()))),
      h("figure", { class: "chart" }, h("figcaption", {}, h("span", { class: "title" }, "Rank correlation of parameters with the metric")), list,
        h("p", { class: "dim" }, "Over the kept runs: −1 or +1 goes strictly with the metric, 0 not at all. It is no proof of cause.")));
  }

  curvesPart() {
    const metrics = this.metrics().filter((m) => this.runs.some((r) => (r.data.metrics?.find((x) => x.key === m)?.step ?? 0) > 0));
    if (!metrics.length) return h("p", { class: "dim" }, "No metric of these runs has more than one step.");
    let metric = metrics.includes(this.main()) ? this.main() : metrics[0];
    const holder = h("div", { class: "charts wide" });
    let c = /** @type {ReturnType<typeof curveChart> | null} */ (null);
    const show = async () => {
      const want = metric;
      this.points = new Map(await Promise.all(this.runs.map(async (r) => /** @type {[string, any]} */ ([r.info.run_id, await history(r.info.run_id, want, 500).catch(() => [])]))));
      if (want !== metric) return;
      const now = () => {
        const l = curveLook();
        return { look: l, lines: this.runs.filter((r) => this.kept.has(r.info.run_id) && this.points.get(r.info.run_id)?.length).map((r) => series(r.info.run_id, r.info.run_name, look(r.info.run_id), this.points.get(r.info.run_id) ?? [], l)) };
      };
      c = curveChart(metric, now);
      holder.replaceChildren(c.el);
    };
    show();
    this.charts.push({ redraw: () => c?.redraw() });
    const bar = lookBar(() => c?.redraw());
    bar.prepend(select("curves of", metrics.map((m) => [m, m]), metric, (v) => ((metric = v), setURL({ metric: v }), show())));
    return h("section", {}, bar, holder);
  }
}

// dimensionsOf lists what differs: parameters, then metrics.
function dimensionsOf(/** @type {Run[]} */ runs) {
  /** @type {Map<string, Map<string, string>>} */
  const all = new Map();
  const add = (/** @type {string} */ id, /** @type {Run} */ r, /** @type {string} */ v) => {
    if (!all.has(id)) all.set(id, new Map());
    all.get(id)?.set(r.info.run_id, v);
  };
  for (const r of runs) for (const p of r.data.params ?? []) add("params." + p.key, r, p.value);
  for (const r of runs) for (const m of r.data.metrics ?? []) if (!m.key.startsWith("system/")) add("metrics." + m.key, r, String(m.value));
  return [...all].filter(([, v]) => new Set(v.values()).size > 1).map(([id, values]) => ({
    id, name: id.slice(id.indexOf(".") + 1), values, numbers: [...values.values()].every((v) => v.trim() !== "" && !Number.isNaN(Number(v)) || v === "NaN") && [...values.values()].some((v) => Number.isFinite(Number(v))),
  }));
}

// usualAxes takes metrics and parameters in turn where there are too many for a screen.
function usualAxes(/** @type {Dimension[]} */ all) {
  // Those that most runs have come first.
  const params = all.filter((d) => d.id.startsWith("params.")).sort((a, b) => b.values.size - a.values.size), metrics = all.filter((d) => d.id.startsWith("metrics.")).sort((a, b) => b.values.size - a.values.size);
  const m = Math.min(metrics.length, Math.max(MOST_AXES / 2, MOST_AXES - params.length));
  return [...params.slice(0, MOST_AXES - m), ...metrics.slice(0, m)].map((d) => d.id);
}

customElements.define("run-compare", RunCompare);
