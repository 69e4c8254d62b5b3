// A small part of Markdown as elements: headings, lists, tables, code, quotes, emphasis, links.
// It never makes markup of text, so that a document cannot bring in script.

import { h } from "./dom.js";

/** markdown @param {string} text @returns {HTMLElement} */
export function markdown(text) {
  const out = h("div", { class: "markdown" });
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  for (let i = 0; i < lines.length; ) i = block(lines, i, out);
  return out;
}

// block adds the block that begins at a line and returns the line after it.
function block(/** @type {string[]} */ lines, /** @type {number} */ i, /** @type {HTMLElement} */ out) {
  const line = lines[i];
  const take = (/** @type {RegExp} */ re) => {
    const got = [];
    while (i < lines.length && re.test(lines[i])) got.push(lines[i++]);
    return got;
  };
  /** @type {RegExpExecArray | null} */
  let m;
  if (/^\s*$/.test(line)) return i + 1;
  if ((m = /^(`{3,}|~{3,})/.exec(line))) {
    const fence = m[1];
    const end = lines.findIndex((l, k) => k > i && l.startsWith(fence)), to = end < 0 ? lines.length : end;
    out.append(h("pre", {}, lines.slice(i + 1, to).join("\n")));
    return to + 1;
  }
  if ((m = /^(#{1,6})\s+(.*)/.exec(line))) return out.append(h("h" + Math.min(6, m[1].length + 1), {}, ...inline(m[2]))), i + 1;
  if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) return out.append(h("hr")), i + 1;
  if (/^>/.test(line)) return out.append(h("blockquote", {}, markdown(take(/^>/).map((l) => l.replace(/^> ?/, "")).join("\n")))), i;
  if (/^\s*[-*+]\s/.test(line)) return out.append(list("ul", take(/^\s*[-*+]\s|^\s{2,}\S/), /^\s*[-*+]\s+/)), i;
  if (/^\s*\d+[.)]\s/.test(line)) return out.append(list("ol", take(/^\s*\d+[.)]\s|^\s{2,}\S/), /^\s*\d+[.)]\s+/)), i;
  if (line.includes("|") && /^\s*\|?[\s:|-]+\|[\s:|-]*$/.test(lines[i + 1] ?? "")) {
    const [head, , ...rows] = take(/\|/).map((l) => l.trim().replace(/^\||\|$/g, "").split("|").map((c) => c.trim()));
    out.append(h("table", { class: "list" }, h("thead", {}, h("tr", {}, ...head.map((c) => h("th", {}, ...inline(c))))),
      h("tbody", {}, ...rows.map((r) => h("tr", {}, ...r.map((c) => h("td", {}, ...inline(c))))))));
    return i;
  }
  const text = take(/\S/);
  const stop = text.findIndex((l, k) => k > 0 && /^(#{1,6}\s|`{3}|>|\s*[-*+]\s)/.test(l));
  const used = stop < 0 ? text : text.slice(0, stop);
  out.append(h("p", {}, ...inline(used.join(" "))));
  return i - (text.length - used.length);
}

function list(/** @type {string} */ tag, /** @type {string[]} */ lines, /** @type {RegExp} */ mark) {
  const items = /** @type {string[]} */ ([]);
  for (const l of lines) {
    if (mark.test(l) || !items.length) items.push(l.replace(mark, ""));
    else items[items.length - 1] += " " + l.trim();
  }
  return h(tag, {}, ...items.map((t) => h("li", {}, ...inline(t))));
}

/** @param {string} text @returns {(Node | string)[]} */
function inline(text) {
  const m = /`([^`]+)`|\*\*(.+?)\*\*|__(.+?)__|\*([^*\s][^*]*)\*|\b_([^_]+)_\b|!?\[([^\]]*)\]\(([^)\s]+)[^)]*\)/.exec(text);
  if (!m) return [text];
  let el;
  if (m[1] !== undefined) el = h("code", {}, m[1]);
  else if (m[2] ?? m[3]) el = h("b", {}, ...inline(m[2] ?? m[3]));
  else if (m[4] ?? m[5]) el = h("i", {}, ...inline(m[4] ?? m[5]));
  else el = /^(https?:|\/(?!\/)|#)/.test(m[7]) ? h("a", { href: m[7], rel: "noopener noreferrer" }, m[6]) : h("span", {}, m[6]);
  return [text.slice(0, m.index), el, ...inline(text.slice(m.index + m[0].length))];
}
