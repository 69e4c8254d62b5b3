// A contour plot: how a metric goes with two numbers. Between the runs it is interpolated
// linearly over Delaunay's triangles; beyond them nothing is claimed and nothing is drawn.

import { h, svg } from "./dom.js";
import { extent, chart, frame, padded, scale, ticks, tip, worded } from "./plot.js";
import { viridis } from "./format.js";

/** @typedef {{id: string, name: string, color: string, x: number, y: number, z: number, kept: boolean}} Dot */
/** @typedef {[number, number, number]} Corner x, y and the value there */

const HEIGHT = 300, LEGEND = 64;

/**
 * triangles is Delaunay's triangulation by Bowyer and Watson; three places in the list each.
 * @param {[number, number][]} points of some size around 1, no two the same
 * @returns {[number, number, number][]}
 */
export function triangles(points) {
  // A grid's points lie on circles by fours: moved a little, there is one answer.
  const all = points.map(([x, y], i) => /** @type {[number, number]} */ ([x + 1e-7 * Math.sin(i * 12.9898), y + 1e-7 * Math.sin(i * 78.233)]));
  const n = all.length;
  all.push([-1e3, -1e3], [1e3, -1e3], [0, 1e3]);
  let out = [circled(all, n, n + 1, n + 2)];
  for (let i = 0; i < n; i++) {
    const [x, y] = all[i];
    /** @type {Map<string, [number, number]>} edges around the hole that the point makes */
    const edges = new Map();
    out = out.filter((t) => {
      if ((x - t.x) ** 2 + (y - t.y) ** 2 > t.r) return true;
      for (const [a, b] of [[t.a, t.b], [t.b, t.c], [t.c, t.a]]) {
        const key = a < b ? `${a} ${b}` : `${b} ${a}`;
        edges.has(key) ? edges.delete(key) : edges.set(key, [a, b]);
      }
      return false;
    });
    for (const [a, b] of edges.values()) out.push(circled(all, a, b, i));
  }
  const flat = (/** @type {{a: number, b: number, c: number}} */ t) => Math.abs(cross(points[t.a], points[t.b], points[t.c])) < 1e-6;
  return out.filter((t) => Math.max(t.a, t.b, t.c) < n && !flat(t)).map((t) => [t.a, t.b, t.c]);
}

const cross = (/** @type {number[]} */ a, /** @type {number[]} */ b, /** @type {number[]} */ c) => (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);

// circled is a triangle with the centre and the squared radius of the circle around it.
function circled(/** @type {[number, number][]} */ p, /** @type {number} */ a, /** @type {number} */ b, /** @type {number} */ c) {
  const [ax, ay] = p[a], bx = p[b][0] - ax, by = p[b][1] - ay, cx = p[c][0] - ax, cy = p[c][1] - ay;
  const d = 2 * (bx * cy - by * cx), b2 = bx * bx + by * by, c2 = cx * cx + cy * cy;
  const x = (cy * b2 - by * c2) / d, y = (bx * c2 - cx * b2) / d;
  return { a, b, c, x: ax + x, y: ay + y, r: x * x + y * y };
}

/** band is the part of a triangle whose values lie between two. @param {Corner[]} corners @param {number} low @param {number} high @returns {Corner[]} */
export function band(corners, low, high) {
  const above = (/** @type {Corner[]} */ shape, /** @type {number} */ level, /** @type {number} */ sign) => shape.flatMap((p, i) => {
    const q = shape[(i + 1) % shape.length], dp = sign * (p[2] - level), dq = sign * (q[2] - level);
    const out = dp >= 0 ? [p] : [];
    if (dp >= 0 !== dq >= 0) out.push(/** @type {Corner} */ (p.map((v, k) => v + (q[k] - v) * (dp / (dp - dq)))));
    return out;
  });
  const part = above(above(corners, low, 1), high, -1);
  return part.length > 2 ? part : [];
}

// wide is true of positive numbers that spread over decades: a search's learning rates.
const wide = (/** @type {number[]} */ v) => Math.min(...v) > 0 && Math.max(...v) / Math.min(...v) >= 50;

/** @param {() => {dots: Dot[], x: string, y: string, z: string}} data finite values only */
export function contour(data) {
  return chart("A metric over two parameters", (body, width) => {
    const { dots, x, y, z } = data();
    const xs = dots.map((d) => d.x), ys = dots.map((d) => d.y), values = extent(dots.map((d) => d.z), z);
    const f = frame(width, HEIGHT, padded(extent(xs, x, wide(xs)), 0.04), padded(extent(ys, y, wide(ys)), 0.04), LEGEND + 12, true);
    const root = svg("svg", { width, height: HEIGHT, role: "img", "aria-label": `${z} over ${x} and ${y}` });
    const marks = ticks(values.min, values.max, 7), edges = [-Infinity, ...marks, Infinity];
    const tint = (/** @type {number} */ v) => viridis((v - values.min) / (values.max - values.min));
    const middle = (/** @type {number} */ i) => (Math.max(edges[i], values.min) + Math.min(edges[i + 1], values.max)) / 2;
    const places = meeting(dots, f);
    const parts = triangles(places.map((p) => [p[0] / f.box.width, p[1] / f.box.height]));
    for (const t of parts) {
      const corners = t.map((i) => places[i]);
      for (let i = 0; i + 1 < edges.length; i++) {
        const shape = band(corners, edges[i], edges[i + 1]);
        if (shape.length) root.append(svg("polygon", { class: "band", fill: tint(middle(i)), stroke: tint(middle(i)), points: shape.map((p) => `${p[0].toFixed(1)},${p[1].toFixed(1)}`).join(" ") }));
      }
    }
    root.append(f.g, legend(width - LEGEND, f.box, values, edges, (i) => tint(middle(i)), z));
    for (const d of dots) {
      root.append(svg("circle", {
        class: d.kept ? "dot over-band" : "dot over-band away", cx: f.sx.at(d.x), cy: f.sy.at(d.y), r: 4, fill: d.color,
        onpointerenter: () => tip(body, f.sx.at(d.x), f.sy.at(d.y), [h("b", {}, d.name), h("div", {}, `${x} ${d.x}`), h("div", {}, `${y} ${d.y}`), h("div", {}, `${z} ${d.z}`)]),
        onpointerleave: () => tip(body, 0, 0, []),
      }));
    }
    body.replaceChildren(root);
    body.parentElement?.querySelector(".title")?.replaceChildren(`${z} over ${x} and ${y}`);
    if (!parts.length) body.append(h("p", { class: "dim" }, "The runs lie on one line here: no surface between them."));
  }, () => {
    const { dots, x, y, z } = data();
    return [["run", x, y, z], ...dots.map((d) => [d.name, d.x, d.y, d.z])].map((row) => row.map((v) => `"${String(v).replaceAll('"', '""')}"`).join(",")).join("\r\n");
  });
}

// meeting is the places of runs in pixels; those of the same place are one, with their mean value.
function meeting(/** @type {Dot[]} */ dots, /** @type {ReturnType<typeof frame>} */ f) {
  /** @type {Map<string, Dot[]>} */
  const groups = new Map();
  for (const d of dots) groups.set(`${d.x} ${d.y}`, [...(groups.get(`${d.x} ${d.y}`) ?? []), d]);
  return [...groups.values()].map((g) => /** @type {Corner} */ ([f.sx.at(g[0].x), f.sy.at(g[0].y), g.reduce((s, d) => s + d.z, 0) / g.length]));
}

// legend says which colour is which value.
function legend(/** @type {number} */ left, /** @type {import("./plot.js").Box} */ box, /** @type {import("./plot.js").Axis} */ values, /** @type {number[]} */ edges, /** @type {(i: number) => string} */ tint, /** @type {string} */ name) {
  const s = scale(values, box.top + box.height, box.top), g = svg("g", { class: "axes" }, svg("text", { class: "name", x: left + LEGEND - 2, y: 14, "text-anchor": "end" }, name));
  for (let i = 0; i + 1 < edges.length; i++) {
    const top = s.at(Math.min(edges[i + 1], values.max)), bottom = s.at(Math.max(edges[i], values.min));
    if (bottom > top) g.append(svg("rect", { x: left, width: 14, y: top, height: bottom - top, fill: tint(i) }));
  }
  for (const v of edges.filter(Number.isFinite)) g.append(svg("text", { x: left + 18, y: s.at(v) + 4 }, worded(v)));
  return g;
}
