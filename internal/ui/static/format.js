// How numbers and times read: the same as on the server (format.go).

import { h } from "./dom.js";

/** number gives four significant digits; whole numbers and those of five digits and more keep what is before the point. @param {number} v */
export function number(v) {
  if (Number.isNaN(v)) return "NaN";
  if (!Number.isFinite(v)) return v > 0 ? "Inf" : "-Inf";
  const size = Math.abs(v);
  if (size < 1e15 && (Number.isInteger(v) || size >= 1e4)) return v.toFixed(0);
  const short = Number(v.toPrecision(4));
  return size > 0 && size < 1e-4 ? short.toExponential() : String(short);
}

/** @param {number} ms */
export function duration(ms) {
  const s = Math.floor(ms / 1000);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10000) return `${(ms / 1000).toFixed(1)} s`;
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} m ${two(s % 60)} s`;
  return `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)} m`;
}

/** @param {number} at */
export function ago(at) {
  const s = Math.floor((Date.now() - at) / 1000);
  if (s < 5) return "just now";
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 48 * 3600) return `${Math.floor(s / 3600)} h ago`;
  return `${Math.floor(s / 86400)} days ago`;
}

/** @param {number} n */
export function bytes(n) {
  if (n < 1000) return `${n} B`;
  let i = -1;
  do (n /= 1000), i++;
  while (n >= 999.5 && i < 4);
  return `${n < 9.95 ? n.toFixed(1) : n.toFixed(0)} ${"kMGTP"[i]}B`;
}

/** when shows a time as how long ago, the exact one on hover. @param {number | undefined} at */
export const when = (at) => (at ? h("time", { datetime: new Date(at).toISOString(), title: new Date(at).toLocaleString() }, ago(at)) : h("span", { class: "dim" }, "–"));

const marks = /** @type {Record<string, string>} */ ({ FINISHED: "✓", FAILED: "✗", KILLED: "–" });

/** state shows a run's state in shape, colour and word. @param {string} status */
export const state = (status) => h("span", { class: "state " + status.toLowerCase() },
  status === "RUNNING" ? h("span", { class: "bar" }) : (marks[status] ?? "○"), h("span", { class: "word" }, status.toLowerCase()));

// Okabe and Ito's colours but yellow and black, which are hard to see on one of the themes.
const palette = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a8f98"];
const dashes = ["", "6 3", "2 3"];

/** look is a run's colour and dash, the same on every page. @param {string} id */
export function look(id) {
  let n = 0;
  for (const c of id) n = (n * 31 + c.charCodeAt(0)) >>> 0;
  return { color: palette[n % palette.length], dash: dashes[Math.floor(n / palette.length) % dashes.length] };
}

/** viridis is a magnitude's colour, t from 0 to 1; the end that the theme's ground would swallow is left out. @param {number} t */
export function viridis(t) {
  t = matchMedia("(prefers-color-scheme: dark)").matches ? 0.35 + 0.65 * t : 0.85 * t;
  const stops = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
  const x = Math.max(0, Math.min(0.9999, t)) * 4, i = Math.floor(x);
  return `rgb(${stops[i].map((a, k) => Math.round(a + (stops[i + 1][k] - a) * (x - i))).join(" ")})`;
}
