// <artifact-browser>: a run's files as a tree, the chosen one beside it.

import { h, setURL, urlState } from "./dom.js";
import { get } from "./api.js";
import { bytes } from "./format.js";
import { view } from "./viewers.js";

/** @typedef {{path: string, is_dir?: boolean, file_size?: number}} Entry */

// Where files are: a run's, or a logged model's.
const sources = {
  run: { list: (/** @type {string} */ id, /** @type {string} */ path) => get("artifacts/list", path ? { run_id: id, path } : { run_id: id }), file: (/** @type {string} */ id, /** @type {string} */ path) => `/get-artifact?run_id=${id}&path=${path}` },
  model: {
    list: (/** @type {string} */ id, /** @type {string} */ path) => get(`logged-models/${id}/artifacts/directories`, path ? { artifact_directory_path: path } : {}),
    file: (/** @type {string} */ id, /** @type {string} */ path) => `/ajax-api/2.0/mlflow/logged-models/${id}/artifacts/files?artifact_file_path=${path}`,
  },
};

class ArtifactBrowser extends HTMLElement {
  of = "";
  /** @type {Map<HTMLElement, (on: boolean) => Promise<void>>} how each folder is opened */ opening = new Map();
  source = sources.run;
  /** @type {any} */ pane;
  /** @type {any} */ tree;

  async connectedCallback() {
    const model = this.getAttribute("model");
    this.source = model ? sources.model : sources.run;
    this.of = model ?? this.getAttribute("run") ?? "";
    const chosen = model ? "" : urlState("artifact"), folder = model ? "" : urlState("path");
    this.tree = h("ul", { class: "plain tree", role: "tree" });
    this.pane = h("div", { class: "pane" }, h("p", { class: "dim" }, "Choose a file to look at it."));
    try {
      await this.list("", this.tree, [chosen, folder].filter(Boolean));
    } catch {
      return; // the server's list stays
    }
    this.replaceChildren(h("div", { class: "browser" }, this.tree, this.pane));
    if (chosen || folder) return;
    const folders = /** @type {NodeListOf<HTMLElement>} */ (this.tree.querySelectorAll("button.folder"));
    if (folders.length && folders.length <= 2 && this.tree.childElementCount <= 4) await Promise.all([...folders].map((b) => this.opening.get(b)?.(true)));
    const worth = this.firstWorth();
    if (worth) this.show({ path: worth.dataset.file ?? "", file_size: Number(worth.dataset.size) }, /** @type {HTMLAnchorElement} */ (worth).href, worth);
  }

  // firstWorth is a picture, a note or a model's description to begin with, if there is one in view.
  firstWorth() {
    return /** @type {HTMLElement | undefined} */ ([...this.tree.querySelectorAll("a[data-file]")].find((a) => /\.(png|svg|jpe?g|md)$|MLmodel$/i.test(a.dataset.file)));
  }

  /** list fills a folder's list, and opens those on the way to what is wanted. @param {string} folder @param {HTMLElement} into @param {string[]} wanted */
  async list(folder, into, wanted) {
    const out = await this.source.list(this.of, folder);
    const files = /** @type {Entry[]} */ (out.files ?? []);
    files.sort((a, b) => Number(!!b.is_dir) - Number(!!a.is_dir) || (a.path < b.path ? -1 : 1));
    into.replaceChildren(...files.map((f) => (f.is_dir ? this.folder(f, wanted) : this.file(f, wanted))));
    if (!files.length) into.append(h("li", { class: "dim" }, "empty"));
  }

  /** @param {Entry} f @param {string[]} wanted */
  folder(f, wanted) {
    const list = h("ul", { class: "plain", role: "group", hidden: true });
    const open = async (/** @type {boolean} */ on) => {
      if (on && !list.childElementCount) await this.list(f.path, list, wanted);
      list.hidden = !on;
      button.setAttribute("aria-expanded", String(on));
    };
    const button = h("button", { class: "quiet folder", "aria-expanded": "false", onclick: () => open(list.hidden) }, base(f.path) + "/");
    this.opening.set(button, open);
    const li = h("li", { role: "treeitem" }, button, list);
    if (wanted.some((w) => w === f.path || w.startsWith(f.path + "/"))) open(true);
    return li;
  }

  /** @param {Entry} f @param {string[]} wanted */
  file(f, wanted) {
    const url = this.source.file(this.of, encodeURIComponent(f.path));
    const a = h("a", {
      href: url, "data-file": f.path, "data-size": f.file_size ?? 0, onclick: (/** @type {MouseEvent} */ e) => {
        if (e.ctrlKey || e.metaKey) return;
        e.preventDefault();
        if (this.source === sources.run) setURL({ artifact: f.path });
        this.show(f, url, a);
      },
    }, base(f.path));
    if (wanted[0] === f.path) queueMicrotask(() => this.show(f, url, a));
    return h("li", { role: "treeitem" }, a, h("span", { class: "dim num" }, bytes(f.file_size ?? 0)));
  }

  /** @param {Entry} f @param {string} url @param {HTMLElement} link */
  async show(f, url, link) {
    this.tree.querySelector("[aria-current]")?.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    const head = h("p", { class: "row" }, h("span", { class: "mono" }, f.path), h("span", { class: "push" }), h("span", { class: "dim" }, bytes(f.file_size ?? 0)), h("a", { class: "button", href: url, download: base(f.path) }, "Download"));
    const ask = (this.asked = Symbol());
    this.pane.replaceChildren(head);
    const body = await view({ url, path: f.path, size: f.file_size ?? 0 }).catch((e) => h("p", { class: "problem" }, e.message));
    if (ask === this.asked) this.pane.append(body);
  }
}

const base = (/** @type {string} */ path) => path.slice(path.lastIndexOf("/") + 1);

customElements.define("artifact-browser", ArtifactBrowser);
