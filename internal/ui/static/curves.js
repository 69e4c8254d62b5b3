// Curves of a metric: one line a run, by step, time or time since the start.

import { h, svg, checkbox, select, setURL, urlState } from "./dom.js";
import { worded, chart, drag, extent, frame, padded, path, tip } from "./plot.js";

/** @typedef {import("./plot.js").Series} Series */
/** @typedef {import("./api.js").Point} Point */
/** @typedef {{x: string, smooth: number, log: boolean}} Look */

const HEIGHT = 240;

/** look reads how curves are shown from the address. @returns {Look} */
export const curveLook = () => ({ x: urlState("x") || "step", smooth: Math.max(0, Math.min(0.99, Number(urlState("smooth")) || 0)), log: urlState("log") === "1" });

/** lookBar is the controls of how curves are shown; they are part of the address. @param {() => void} changed */
export function lookBar(changed) {
  const now = curveLook();
  const keep = (/** @type {Record<string, string>} */ parts) => (setURL(parts), changed());
  const value = h("output", {}, String(now.smooth));
  const slider = h("input", { type: "range", min: 0, max: 0.99, step: 0.01, value: now.smooth, "aria-label": "Smoothing", oninput: () => ((value.value = slider.value), keep({ smooth: Number(slider.value) ? slider.value : "" })) });
  return h("div", { class: "tools look" },
    select("by", [["step", "step"], ["time", "time"], ["relative", "time since the start"]], now.x, (v) => keep({ x: v === "step" ? "" : v })),
    h("label", { class: "field" }, "smoothing", slider, value), checkbox("log scale", now.log, (v) => keep({ log: v ? "1" : "" })));
}

/** series makes a line of a run's points. @param {string} id @param {string} name @param {{color: string, dash: string}} style @param {Point[]} points @param {Look} look @returns {Series} */
export function series(id, name, style, points, look) {
  const start = points.reduce((m, p) => Math.min(m, p.timestamp), Infinity);
  const raw = points.map((p) => /** @type {[number, number]} */ ([look.x === "step" ? p.step : look.x === "time" ? p.timestamp : (p.timestamp - start) / 1000, Number(p.value)]));
  if (look.x !== "step") raw.sort((a, b) => a[0] - b[0]);
  if (!look.smooth) return { id, name, ...style, points: raw };
  // An average that forgets; at the beginning it is of the points there are.
  let sum = 0, weight = 0;
  const smooth = raw.map(([x, y]) => {
    if (!Number.isFinite(y)) return /** @type {[number, number]} */ ([x, y]);
    sum = look.smooth * sum + (1 - look.smooth) * y;
    weight = look.smooth * weight + (1 - look.smooth);
    return /** @type {[number, number]} */ ([x, sum / weight]);
  });
  return { id, name, ...style, points: smooth, faint: raw };
}

const axisNames = /** @type {Record<string, [string, import("./plot.js").Kind]>} */ ({ step: ["step", "integer"], time: ["time", "time"], relative: ["time since the start", "duration"] });

/** curveChart shows lines; data gives them anew whenever it is drawn. @param {string} title @param {() => {lines: Series[], look: Look}} data */
export function curveChart(title, data) {
  /** @type {[number, number] | null} */
  let zoom = null;
  const c = chart(title, (body, width) => {
    const { lines, look } = data();
    const shown = zoom ? lines.map((l) => ({ ...l, points: within(l.points, zoom), faint: l.faint && within(l.faint, zoom) })) : lines;
    const [name, kind] = axisNames[look.x] ?? axisNames.step;
    const all = shown.flatMap((l) => [...l.points, ...(l.faint ?? [])]);
    const x = zoom ? { min: zoom[0], max: zoom[1], label: name, kind } : extent(all.map((p) => p[0]), name, false, kind);
    const y = padded(extent(all.map((p) => p[1]), title, look.log));
    const labels = shown.length > 1 && shown.length <= 8 && width > 480;
    const f = frame(width, HEIGHT, x, y, labels ? 130 : 12);
    const root = svg("svg", { width, height: HEIGHT, role: "img", "aria-label": `${title} by ${name}` }, f.g);
    for (const l of shown) {
      if (l.faint) root.append(svg("path", { class: "line faint", d: path(l.faint, f.sx.at, f.sy.at), stroke: l.color }));
      root.append(svg("path", { class: "line", d: path(l.points, f.sx.at, f.sy.at), stroke: l.color, "stroke-dasharray": l.dash || undefined, "data-id": l.id }));
      if (l.points.length === 1) root.append(svg("circle", { cx: f.sx.at(l.points[0][0]), cy: f.sy.at(l.points[0][1]), r: 3, fill: l.color }));
    }
    if (labels) root.append(...endLabels(shown, f));
    if (look.log && !all.some((p) => p[1] > 0)) root.append(svg("text", { class: "name", x: f.box.left + 8, y: f.box.top + 20 }, "No value above zero: there is nothing to show on a log scale."));
    body.replaceChildren(root);
    hover(body, root, f, shown, name, kind);
    drag(root, f.box, false, (r) => {
      if (r) (zoom = [f.sx.back(r.x0), f.sx.back(r.x1)]), c.redraw();
    });
    root.addEventListener("dblclick", () => ((zoom = null), c.redraw()));
    if (zoom) body.append(h("button", { class: "unzoom", onclick: () => ((zoom = null), c.redraw()) }, "All"));
  }, () => {
    const { lines } = data();
    return ["run,x,value", ...lines.flatMap((l) => (l.faint ?? l.points).map((p) => `"${l.name.replaceAll('"', '""')}",${p[0]},${p[1]}`))].join("\n") + "\n";
  });
  c.el.classList.add("zooms");
  c.el.title = "";
  return c;
}

const within = (/** @type {[number, number][]} */ points, /** @type {[number, number] | null} */ z) => points.filter((p) => !z || (p[0] >= z[0] && p[0] <= z[1]));

// endLabels names lines at their ends, moved apart where they would cover each other.
function endLabels(/** @type {Series[]} */ lines, /** @type {ReturnType<typeof frame>} */ f) {
  const ends = lines.flatMap((l) => {
    const p = l.points.findLast((q) => Number.isFinite(f.sy.at(q[1])));
    return p ? [{ l, y: f.sy.at(p[1]) }] : [];
  }).sort((a, b) => a.y - b.y);
  ends.forEach((e, i) => i && (e.y = Math.max(e.y, ends[i - 1].y + 14)));
  const over = (ends.at(-1)?.y ?? 0) - (f.box.top + f.box.height);
  if (over > 0) for (const e of ends) e.y -= over;
  const short = (/** @type {string} */ s) => (s.length > 18 ? s.slice(0, 17) + "…" : s);
  return ends.map((e) => svg("text", { class: "end", x: f.box.left + f.box.width + 6, y: e.y + 4 }, svg("tspan", { fill: e.l.color }, "● "), short(e.l.name), svg("title", {}, e.l.name)));
}

function hover(/** @type {HTMLElement} */ body, /** @type {SVGElement} */ root, /** @type {ReturnType<typeof frame>} */ f, /** @type {Series[]} */ lines, /** @type {string} */ name, /** @type {import("./plot.js").Kind} */ kind) {
  const rule = svg("line", { class: "rule", y1: f.box.top, y2: f.box.top + f.box.height, visibility: "hidden" }), dots = svg("g");
  root.append(rule, dots);
  const leave = () => (rule.setAttribute("visibility", "hidden"), dots.replaceChildren(), tip(body, 0, 0, []));
  root.addEventListener("pointerleave", leave);
  root.addEventListener("pointermove", (e) => {
    const r = root.getBoundingClientRect(), px = e.clientX - r.left, py = e.clientY - r.top;
    if (px < f.box.left || px > f.box.left + f.box.width) return leave();
    const want = f.sx.back(px);
    const near = lines.flatMap((l) => {
      const p = nearest(l.points, want);
      return p && Number.isFinite(f.sy.at(p[1])) ? [{ l, p, far: Math.abs(f.sy.at(p[1]) - py) }] : [];
    });
    if (!near.length) return leave();
    const x = near.reduce((a, b) => (Math.abs(b.p[0] - want) < Math.abs(a.p[0] - want) ? b : a)).p[0];
    const at = near.filter((n) => n.p[0] === x || lines.length === 1);
    rule.setAttribute("visibility", "visible");
    ["x1", "x2"].forEach((k) => rule.setAttribute(k, f.sx.at(x)));
    dots.replaceChildren(...at.map((n) => svg("circle", { cx: f.sx.at(n.p[0]), cy: f.sy.at(n.p[1]), r: 3.5, fill: n.l.color })));
    const first = [...at].sort((a, b) => a.far - b.far).slice(0, 8);
    tip(body, f.sx.at(x), py, [h("div", { class: "dim" }, kind === "time" ? new Date(x).toLocaleString() : `${name} ${kind === "integer" ? x : worded(x, kind)}`),
      ...first.map((n) => h("div", {}, h("i", { style: { background: n.l.color } }), lines.length > 1 ? n.l.name + " " : "", h("b", {}, String(n.p[1]))))]);
  });
}

// nearest finds the point whose x is closest, in points ordered by x.
function nearest(/** @type {[number, number][]} */ points, /** @type {number} */ x) {
  let lo = 0, hi = points.length - 1;
  if (hi < 0) return null;
  while (hi - lo > 1) {
    const mid = (lo + hi) >> 1;
    if (points[mid][0] < x) lo = mid;
    else hi = mid;
  }
  return Math.abs(points[lo][0] - x) <= Math.abs(points[hi][0] - x) ? points[lo] : points[hi];
}
