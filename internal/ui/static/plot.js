// Charts in SVG: axes with few round ticks, exact values on hover, a brush. A chart is drawn
// anew for its width; its colours and letters come from the page's style.

import { h, svg, save } from "./dom.js";
import { number, duration } from "./format.js";

/** @typedef {{id: string, name: string, color: string, dash?: string, points: [number, number][], faint?: [number, number][]}} Series */
/** @typedef {"number" | "integer" | "time" | "duration"} Kind */
/** @typedef {{min: number, max: number, log?: boolean, kind?: Kind, label: string}} Axis */
/** @typedef {{left: number, top: number, width: number, height: number}} Box */

/** ticks are few round values within a range. @param {number} min @param {number} max @param {number} about @param {boolean} [log] @param {boolean} [whole] */
export function ticks(min, max, about, log = false, whole = false) {
  if (log) {
    const lo = Math.floor(Math.log10(min)), hi = Math.ceil(Math.log10(max)), decades = hi - lo;
    const by = decades <= 2 ? [1, 2, 5] : [1], skip = Math.max(1, Math.ceil(decades / about));
    const out = [];
    for (let e = lo; e <= hi; e += skip) for (const m of by) out.push(m * 10 ** e);
    return out.filter((v) => v >= min * 0.999 && v <= max * 1.001);
  }
  const raw = (max - min) / Math.max(1, about);
  if (!(raw > 0)) return [min];
  const power = 10 ** Math.floor(Math.log10(raw));
  let step = power * ([1, 2, 5, 10].find((m) => m * power >= raw * 0.999) ?? 10);
  if (whole) step = Math.max(1, Math.round(step));
  const out = [];
  for (let i = Math.ceil(min / step - 1e-9); i * step <= max + step * 1e-9; i++) out.push(Number((i * step).toPrecision(12)));
  return out;
}

/** scale maps an axis to pixels. @param {Axis} axis @param {number} from @param {number} to */
export function scale(axis, from, to) {
  const f = axis.log ? Math.log10 : (/** @type {number} */ v) => v;
  const lo = f(axis.min), span = f(axis.max) - lo || 1;
  const at = (/** @type {number} */ v) => from + ((f(v) - lo) / span) * (to - from);
  const back = (/** @type {number} */ px) => {
    const v = lo + ((px - from) / (to - from)) * span;
    return axis.log ? 10 ** v : v;
  };
  return { at, back };
}

/** extent is an axis around values, with a little room. @param {number[]} values @param {string} label @param {boolean} [log] @param {Kind} [kind] @returns {Axis} */
export function extent(values, label, log = false, kind = "number") {
  let min = Infinity, max = -Infinity;
  for (const v of values) if (Number.isFinite(v) && (!log || v > 0)) (min = Math.min(min, v)), (max = Math.max(max, v));
  if (min > max) (min = log ? 0.1 : 0), (max = 1);
  if (min === max) log ? ((min /= 2), (max *= 2)) : ((min -= Math.abs(min) / 2 || 0.5), (max += Math.abs(max) / 2 || 0.5));
  return { min, max, log, kind, label };
}

/** padded gives an axis room above and below. @param {Axis} a @param {number} [part] @returns {Axis} */
export function padded(a, part = 0.05) {
  if (a.log) {
    const f = (a.max / a.min) ** part;
    return { ...a, min: a.min / f, max: a.max * f };
  }
  const room = (a.max - a.min) * part;
  return { ...a, min: a.min - room, max: a.max + room };
}

/** worded is a value as the axis writes it. @param {number} v @param {Kind} [kind] */
export function worded(v, kind = "number") {
  if (kind === "duration") return duration(v * 1000);
  if (kind === "time") return new Date(v).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const size = Math.abs(v);
  if (size >= 1e6) return Number((v / 1e6).toPrecision(4)) + "M";
  if (size >= 1e4) return Number((v / 1e3).toPrecision(4)) + "k";
  return number(v);
}

const WIDE = 46; // left of the plot, for the ticks' words

/** frame draws axes and gives the scales. @param {number} width @param {number} height @param {Axis} x @param {Axis} y @param {number} [right] @param {boolean} [named] writes the upright axis's name too */
export function frame(width, height, x, y, right = 12, named = false) {
  const top = named ? 28 : 8;
  const box = { left: WIDE, top, width: width - WIDE - right, height: height - 40 - top };
  const sx = scale(x, box.left, box.left + box.width), sy = scale(y, box.top + box.height, box.top);
  const g = svg("g", { class: "axes" });
  for (const v of ticks(y.min, y.max, Math.max(2, Math.min(5, box.height / 40)), y.log)) {
    const p = sy.at(v);
    g.append(svg("line", { class: "grid", x1: box.left, x2: box.left + box.width, y1: p, y2: p }), svg("text", { x: box.left - 6, y: p + 4, "text-anchor": "end" }, worded(v, y.kind)));
  }
  for (const v of ticks(x.min, x.max, Math.max(2, Math.min(6, box.width / 90)), x.log, x.kind === "integer")) {
    const p = sx.at(v);
    g.append(svg("line", { class: "tick", x1: p, x2: p, y1: box.top + box.height, y2: box.top + box.height + 4 }),
      svg("text", { x: p, y: box.top + box.height + 18, "text-anchor": "middle" }, worded(v, x.kind)));
  }
  g.append(svg("line", { class: "axis", x1: box.left, x2: box.left + box.width, y1: box.top + box.height, y2: box.top + box.height }),
    svg("text", { class: "name", x: box.left + box.width, y: height - 4, "text-anchor": "end" }, x.label));
  if (named) g.append(svg("text", { x: 4, y: 14, class: "name" }, y.label));
  return { box, sx, sy, g };
}

/** path joins points, leaving gaps where a value cannot be drawn. @param {[number, number][]} points @param {(v: number) => number} fx @param {(v: number) => number} fy */
export function path(points, fx, fy) {
  let d = "", up = true;
  for (const [x, y] of points) {
    const px = fx(x), py = fy(y);
    if (!Number.isFinite(px) || !Number.isFinite(py)) up = true;
    else (d += `${up ? "M" : "L"}${px.toFixed(1)} ${py.toFixed(1)}`), (up = false);
  }
  return d;
}

/** drag calls back with the pixels that a drag spans. @param {SVGElement} el @param {Box} box @param {boolean} both in both directions @param {(r: {x0: number, x1: number, y0: number, y1: number} | null) => void} done null for a plain click */
export function drag(el, box, both, done) {
  const mark = svg("rect", { class: "brush", visibility: "hidden" });
  el.append(mark);
  const inside = (/** @type {PointerEvent} */ e) => {
    const r = el.getBoundingClientRect();
    return [Math.max(box.left, Math.min(box.left + box.width, e.clientX - r.left)), Math.max(box.top, Math.min(box.top + box.height, e.clientY - r.top))];
  };
  el.addEventListener("pointerdown", (down) => {
    if (down.button !== 0) return;
    const [ax, ay] = inside(down);
    el.setPointerCapture(down.pointerId);
    const rect = (/** @type {PointerEvent} */ e) => {
      const [bx, by] = inside(e);
      return { x0: Math.min(ax, bx), x1: Math.max(ax, bx), y0: both ? Math.min(ay, by) : box.top, y1: both ? Math.max(ay, by) : box.top + box.height };
    };
    const move = (/** @type {PointerEvent} */ e) => {
      const r = rect(e);
      for (const [k, v] of Object.entries({ x: r.x0, y: r.y0, width: r.x1 - r.x0, height: r.y1 - r.y0, visibility: "visible" })) mark.setAttribute(k, String(v));
    };
    const up = (/** @type {PointerEvent} */ e) => {
      el.removeEventListener("pointermove", move);
      el.removeEventListener("pointerup", up);
      mark.setAttribute("visibility", "hidden");
      const r = rect(e);
      done(r.x1 - r.x0 > 4 || (both && r.y1 - r.y0 > 4) ? r : null);
    };
    el.addEventListener("pointermove", move);
    el.addEventListener("pointerup", up);
  });
}

/** chart is a figure with a title, ways to save it, and a body that draw fills for its width. @param {string} title @param {(body: HTMLElement, width: number) => void} draw @param {() => string} [data] as CSV */
export function chart(title, draw, data) {
  const body = h("div", { class: "plot" });
  const file = title.replaceAll(/[^\w.-]+/g, "_");
  const tools = h("span", { class: "saves" },
    h("button", { class: "quiet", title: "Save as SVG", onclick: () => save(`${file}.svg`, "image/svg+xml", alone(body)) }, "SVG"),
    h("button", { class: "quiet", title: "Save as PNG", onclick: () => savePNG(`${file}.png`, body) }, "PNG"),
    data && h("button", { class: "quiet", title: "Save the values as CSV", onclick: () => save(`${file}.csv`, "text/csv", data()) }, "CSV"));
  const el = h("figure", { class: "chart" }, h("figcaption", {}, h("span", { class: "title" }, title), tools), body);
  const redraw = () => body.clientWidth && draw(body, body.clientWidth);
  let width = 0;
  new ResizeObserver(() => body.clientWidth !== width && ((width = body.clientWidth), redraw())).observe(body);
  return { el, redraw };
}

// alone is the drawing with its looks written into it, for a file.
function alone(/** @type {HTMLElement} */ body) {
  const from = /** @type {SVGElement} */ (body.querySelector("svg")), to = /** @type {SVGElement} */ (from.cloneNode(true));
  const all = (/** @type {Element} */ el) => [el, ...el.querySelectorAll("*")];
  const copies = all(to);
  all(from).forEach((el, i) => {
    const css = getComputedStyle(el);
    for (const k of ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-size", "font-family", "font-weight", "visibility"]) copies[i].setAttribute(k, css.getPropertyValue(k));
  });
  to.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  to.prepend(svg("rect", { width: "100%", height: "100%", fill: getComputedStyle(document.body).backgroundColor }));
  return new XMLSerializer().serializeToString(to);
}

async function savePNG(/** @type {string} */ name, /** @type {HTMLElement} */ body) {
  const img = new Image(), sharp = 2;
  img.src = "data:image/svg+xml," + encodeURIComponent(alone(body));
  await img.decode();
  const canvas = h("canvas", { width: img.width * sharp, height: img.height * sharp });
  canvas.getContext("2d").drawImage(img, 0, 0, canvas.width, canvas.height);
  h("a", { href: canvas.toDataURL("image/png"), download: name }).click();
}

/** tip shows exact values beside the pointer. @param {HTMLElement} body @param {number} x @param {number} y @param {Node[]} lines */
export function tip(body, x, y, lines) {
  let box = /** @type {HTMLElement | null} */ (body.querySelector(".tip"));
  if (!box) body.append((box = h("div", { class: "tip" })));
  const el = /** @type {HTMLElement} */ (box);
  el.hidden = !lines.length;
  el.replaceChildren(...lines);
  const left = x > body.clientWidth / 2;
  Object.assign(el.style, { top: `${Math.max(0, y - 12)}px`, left: left ? "" : `${x + 12}px`, right: left ? `${body.clientWidth - x + 12}px` : "" });
}
