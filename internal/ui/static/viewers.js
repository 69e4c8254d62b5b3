// Viewers of artifacts, by the file's name. What a run logged is shown as text, picture or
// table; HTML is a page in a sandbox with an origin of its own.

import { h } from "./dom.js";
import { bytes } from "./format.js";
import { markdown } from "./markdown.js";

const MOST_TEXT = 1 << 20; // bytes of a text that are read
const MOST_ROWS = 500; // of a table that are shown

/** @typedef {{url: string, path: string, size: number}} File */

/** view shows a file. @param {File} file @returns {Promise<HTMLElement>} */
export async function view(file) {
  const name = file.path.slice(file.path.lastIndexOf("/") + 1), ext = name.includes(".") ? name.slice(name.lastIndexOf(".") + 1).toLowerCase() : "";
  if (["png", "jpg", "jpeg", "gif", "svg", "webp", "bmp", "ico"].includes(ext)) return h("img", { src: file.url, alt: name });
  if (["html", "htm"].includes(ext)) return h("iframe", { src: file.url + "&view=sandbox", sandbox: "allow-scripts", title: name, referrerpolicy: "no-referrer" });
  const text = await read(file);
  if (text === null) return h("p", { class: "dim" }, `There is no viewer for this file. Download it to look inside (${bytes(file.size)}).`);
  const part = file.size > MOST_TEXT && h("p", { class: "dim" }, `The first ${bytes(MOST_TEXT)} of ${bytes(file.size)}.`);
  return h("div", {}, part || "", shown(name, ext, text));
}

function shown(/** @type {string} */ name, /** @type {string} */ ext, /** @type {string} */ text) {
  try {
    if (ext === "json") return h("pre", { class: "text" }, JSON.stringify(logged(text), null, 2));
    if (ext === "ipynb") return notebook(JSON.parse(text));
  } catch {
    return h("pre", { class: "text" }, text); // cut off or not what its name says
  }
  if (ext === "csv" || ext === "tsv") return table(rows(text, ext === "tsv" ? "\t" : ","));
  if (ext === "md") return markdown(text);
  if (name === "MLmodel") return h("div", {}, signature(text), h("pre", { class: "text" }, text));
  return h("pre", { class: "text" }, text);
}

// logged reads JSON as Python writes it, where NaN may stand for a number.
const logged = (/** @type {string} */ text) => {
  try {
    return JSON.parse(text);
  } catch {
    return JSON.parse(text.replaceAll(/(?<=[[,:]\s*)(-?Infinity|NaN)(?=\s*[\],}])/g, '"$1"'));
  }
};

/** read gives the beginning of a text, null if the file is no text. @param {File} file */
async function read(file) {
  const res = await fetch(file.url, { headers: { Range: `bytes=0-${MOST_TEXT - 1}` } });
  if (res.status === 416) return ""; // an empty file has no first byte
  if (!res.ok) throw new Error((await res.json().catch(() => ({}))).message ?? `status ${res.status}`);
  const raw = new Uint8Array(await res.arrayBuffer());
  return raw.subarray(0, 4096).includes(0) ? null : new TextDecoder().decode(raw);
}

/** rows reads comma-separated values. @param {string} text @param {string} comma */
export function rows(text, comma) {
  const out = /** @type {string[][]} */ ([[]]);
  let cell = "", quoted = false;
  for (let i = 0; i < text.length && out.length <= MOST_ROWS + 2; i++) {
    const c = text[i];
    if (quoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') (cell += c), i++;
      else quoted = false;
    } else if (c === '"' && !cell) quoted = true;
    else if (c === comma) out[out.length - 1].push(cell), (cell = "");
    else if (c === "\n") out[out.length - 1].push(cell.replace(/\r$/, "")), (cell = ""), out.push([]);
    else cell += c;
  }
  out[out.length - 1].push(cell);
  return out.filter((r) => r.length > 1 || r[0]);
}

function table(/** @type {string[][]} */ all) {
  const [head = [], ...body] = all;
  const numeric = head.map((_, i) => body.slice(0, 50).every((r) => r[i] === undefined || r[i] === "" || !Number.isNaN(Number(r[i]))));
  return h("div", {}, h("div", { class: "scroll" }, h("table", { class: "list" }, h("thead", {}, h("tr", {}, ...head.map((c, i) => h("th", { class: numeric[i] ? "num" : "" }, c)))),
    h("tbody", {}, ...body.slice(0, MOST_ROWS).map((r) => h("tr", {}, ...r.map((c, i) => h("td", { class: numeric[i] ? "num" : "" }, c))))))),
  body.length > MOST_ROWS && h("p", { class: "dim" }, `The first ${MOST_ROWS} rows.`));
}

// signature shows a model's inputs and outputs, which MLmodel holds as JSON in YAML.
function signature(/** @type {string} */ text) {
  const part = (/** @type {string} */ key) => {
    try {
      return JSON.parse((new RegExp(`^  ${key}: '(.*)'$`, "m").exec(text.replaceAll(/\n\s{4,}/g, " "))?.[1] ?? "[]").replaceAll("''", "'"));
    } catch {
      return [];
    }
  };
  const lines = ["inputs", "outputs"].flatMap((kind) => part(kind).map((/** @type {any} */ c) => [kind.slice(0, -1), c.name ?? "–", c["tensor-spec"] ? `${c["tensor-spec"].dtype} ${JSON.stringify(c["tensor-spec"].shape)}` : String(c.type), c.required === false ? "optional" : ""]));
  return lines.length ? table([["", "column", "type", ""], ...lines]) : h("span");
}

const joined = (/** @type {string | string[]} */ v) => (Array.isArray(v) ? v.join("") : String(v ?? ""));

function notebook(/** @type {any} */ nb) {
  return h("div", { class: "notebook" }, ...(nb.cells ?? []).map((/** @type {any} */ c) => {
    if (c.cell_type === "markdown") return markdown(joined(c.source));
    if (c.cell_type !== "code") return h("pre", {}, joined(c.source));
    return h("div", { class: "cell" }, h("pre", { class: "text" }, joined(c.source)), ...(c.outputs ?? []).map(output));
  }));
}

function output(/** @type {any} */ o) {
  if (o.output_type === "stream") return h("pre", { class: "out" }, joined(o.text));
  if (o.output_type === "error") return h("pre", { class: "out bad" }, joined((o.traceback ?? []).map((/** @type {string} */ l) => l.replaceAll(/\x1b\[[\d;]*m/g, "") + "\n")));
  const d = o.data ?? {};
  for (const type of ["image/png", "image/jpeg"]) if (d[type]) return h("img", { src: `data:${type};base64,${joined(d[type]).replaceAll(/\s/g, "")}`, alt: "output" });
  if (d["text/markdown"]) return markdown(joined(d["text/markdown"]));
  return h("pre", { class: "out" }, joined(d["text/plain"] ?? ""));
}
