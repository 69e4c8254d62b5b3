// Parallel coordinates: a line a run through an axis a parameter or metric. A drag along an axis
// keeps the runs that pass there; a click on the axis lets go.

import { h, svg } from "./dom.js";
import { chart, extent, scale, ticks, tip, worded } from "./plot.js";
import { viridis } from "./format.js";

/** @typedef {{id: string, name: string, color: string}} Line */
/** @typedef {{id: string, name: string, numbers: boolean, values: Map<string, string>}} Dimension of runs, by run id */

const HEIGHT = 320, TOP = 40, BOTTOM = 16, STEP = 120;

/**
 * @param {() => {lines: Line[], dimensions: Dimension[], by: string, kept: Set<string>}} data by names the dimension that gives colours, "" for the runs' own
 * @param {(kept: Set<string> | null) => void} brushed
 */
export function parallel(data, brushed) {
  /** @type {Map<string, [number, number]>} */
  const ranges = new Map(); // pixels kept, by dimension
  const c = chart("Parameters and metrics that differ", (body, room) => {
    const { lines, dimensions, by, kept } = data();
    for (const id of ranges.keys()) if (!dimensions.some((d) => d.id === id)) ranges.delete(id);
    const width = Math.max(room, dimensions.length * STEP), gap = (width - 120) / Math.max(1, dimensions.length - 1);
    const axes = dimensions.map((d, i) => ({ d, x: 60 + i * gap, ...place(d, lines) }));
    const root = svg("svg", { width, height: HEIGHT, role: "img", "aria-label": "Parallel coordinates of the runs" });
    const tint = colours(axes.find((a) => a.d.id === by), lines);
    const points = (/** @type {Line} */ l) => axes.flatMap((a) => {
      const y = a.at(a.d.values.get(l.id));
      return y === undefined ? [] : [`${a.x.toFixed(1)},${y.toFixed(1)}`];
    });
    const order = [...lines].sort((a, b) => Number(kept.has(a.id)) - Number(kept.has(b.id)));
    for (const l of order) root.append(svg("polyline", { class: kept.has(l.id) ? "line" : "line away", points: points(l).join(" "), stroke: tint(l), "data-id": l.id }, svg("title", {}, l.name)));
    for (const a of axes) root.append(axis(a, gap, (range) => {
      range ? ranges.set(a.d.id, range) : ranges.delete(a.d.id);
      brushed(ranges.size ? new Set(lines.filter((l) => axes.every((x) => passes(x, l, ranges.get(x.d.id)))).map((l) => l.id)) : null);
    }, ranges.get(a.d.id), a === axes.at(-1)));
    body.replaceChildren(h("div", { class: "sideways" }, root));
    root.addEventListener("pointermove", (/** @type {PointerEvent} */ e) => {
      const id = /** @type {Element} */ (e.target).getAttribute("data-id"), l = lines.find((x) => x.id === id);
      const r = body.getBoundingClientRect();
      root.querySelectorAll(".over").forEach((/** @type {Element} */ el) => el.classList.remove("over"));
      if (!l) return tip(body, 0, 0, []);
      /** @type {Element} */ (e.target).classList.add("over");
      tip(body, e.clientX - r.left, e.clientY - r.top, [h("b", {}, l.name), ...dimensions.map((d) => h("div", {}, h("span", { class: "dim" }, d.name + " "), d.values.get(l.id) ?? "–"))]);
    });
    root.addEventListener("pointerleave", () => tip(body, 0, 0, []));
  });
  return { ...c, clear: () => ranges.clear() };
}

/** @typedef {{d: Dimension, x: number, at: (v: string | undefined) => number | undefined, marks: [number, string][]}} Placed */

const passes = (/** @type {Placed} */ a, /** @type {Line} */ l, /** @type {[number, number] | undefined} */ range) => {
  const y = a.at(a.d.values.get(l.id));
  return !range || (y !== undefined && y >= range[0] && y <= range[1]);
};

// place gives the height of each value on an axis: numbers by size, words in order.
function place(/** @type {Dimension} */ d, /** @type {Line[]} */ lines) {
  const seen = lines.flatMap((l) => d.values.get(l.id) ?? []);
  if (d.numbers) {
    const e = extent(seen.map(Number), d.name), s = scale(e, HEIGHT - BOTTOM, TOP);
    const whole = seen.every((v) => Number.isInteger(Number(v)));
    return {
      at: (/** @type {string | undefined} */ v) => (v === undefined || !Number.isFinite(Number(v)) ? undefined : s.at(Number(v))),
      marks: ticks(e.min, e.max, 5, false, whole).map((v) => /** @type {[number, string]} */ ([s.at(v), worded(v)])),
    };
  }
  const words = [...new Set(seen)].sort(), y = (/** @type {string} */ w) => TOP + ((words.indexOf(w) + 0.5) / words.length) * (HEIGHT - TOP - BOTTOM);
  return {
    at: (/** @type {string | undefined} */ v) => (v === undefined ? undefined : y(v)),
    marks: words.slice(0, 24).map((w) => /** @type {[number, string]} */ ([y(w), w.length > 14 ? w.slice(0, 13) + "…" : w])),
  };
}

function colours(/** @type {Placed | undefined} */ by, /** @type {Line[]} */ lines) {
  if (!by) return (/** @type {Line} */ l) => l.color;
  const e = extent(lines.map((l) => by.at(by.d.values.get(l.id)) ?? NaN), "");
  return (/** @type {Line} */ l) => {
    const y = by.at(by.d.values.get(l.id));
    return y === undefined ? "var(--dim)" : viridis(1 - (y - e.min) / (e.max - e.min));
  };
}

function axis(/** @type {Placed} */ a, /** @type {number} */ gap, /** @type {(range: [number, number] | null) => void} */ done, /** @type {[number, number] | undefined} */ range, /** @type {boolean} */ last) {
  const g = svg("g", { class: "axes" }), most = Math.max(6, Math.floor(gap / 7.5));
  const right = !a.d.numbers && !last; // words have no room at the left of the first axis
  const short = a.d.name.length > most ? a.d.name.slice(0, most - 1) + "…" : a.d.name;
  g.append(svg("text", { class: "head", x: a.x, y: 18, "text-anchor": "middle" }, short, svg("title", {}, a.d.id)),
    svg("line", { class: "axis", x1: a.x, x2: a.x, y1: TOP, y2: HEIGHT - BOTTOM }));
  for (const [y, text] of a.marks) g.append(svg("line", { class: "tick", x1: a.x - 4, x2: a.x, y1: y, y2: y }), svg("text", { class: "over-lines", x: right ? a.x + 7 : a.x - 7, y: y + 4, "text-anchor": right ? "start" : "end" }, text));
  const mark = svg("rect", { class: "brush", x: a.x - 9, width: 18, y: range?.[0] ?? 0, height: range ? range[1] - range[0] : 0 });
  const grip = svg("rect", { class: "grip", x: a.x - 12, width: 24, y: TOP - 4, height: HEIGHT - TOP - BOTTOM + 8 });
  g.append(mark, grip);
  grip.addEventListener("pointerdown", (/** @type {PointerEvent} */ down) => {
    const top = grip.ownerSVGElement.getBoundingClientRect().top, from = down.clientY - top;
    const span = (/** @type {PointerEvent} */ e) => /** @type {[number, number]} */ ([Math.min(from, e.clientY - top), Math.max(from, e.clientY - top)]);
    grip.setPointerCapture(down.pointerId);
    grip.onpointermove = (/** @type {PointerEvent} */ e) => (mark.setAttribute("y", span(e)[0]), mark.setAttribute("height", span(e)[1] - span(e)[0]));
    grip.onpointerup = (/** @type {PointerEvent} */ e) => {
      grip.onpointermove = grip.onpointerup = null;
      done(span(e)[1] - span(e)[0] > 3 ? span(e) : null);
    };
  });
  return g;
}
