// <artifact-browser>: a run's files as a tree, the chosen one beside it.

import { h, setURL, urlState } from "./dom.js";
import { get } from "./api.js";
import { bytes } from "./format.js";
import { view } from "./viewers.js";

/** @typedef {{path: string, is_dir?: boolean, file_size?: number}} Entry */

class ArtifactBrowser extends HTMLElement {
  run = "";
  /** @type {any} */ pane;
  /** @type {any} */ tree;

  async connectedCallback() {
    this.run = this.getAttribute("run") ?? "";
    const chosen = urlState("artifact"), folder = urlState("path");
    this.tree = h("ul", { class: "plain tree", role: "tree" });
    this.pane = h("div", { class: "pane" }, h("p", { class: "dim" }, "Choose a file to look at it."));
    try {
      await this.list("", this.tree, [chosen, folder].filter(Boolean));
    } catch {
      return; // the server's list stays
    }
    this.replaceChildren(h("div", { class: "browser" }, this.tree, this.pane));
    if (!chosen) this.firstWorth()?.click();
  }

  // firstWorth is a picture or a page to begin with, if there is one in view.
  firstWorth() {
    return /** @type {HTMLElement | undefined} */ ([...this.tree.querySelectorAll("a[data-file]")].find((a) => /\.(png|svg|jpe?g|md)$/i.test(a.dataset.file)));
  }

  /** list fills a folder's list, and opens those on the way to what is wanted. @param {string} folder @param {HTMLElement} into @param {string[]} wanted */
  async list(folder, into, wanted) {
    const out = await get("artifacts/list", folder ? { run_id: this.run, path: folder } : { run_id: this.run });
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
    const li = h("li", { role: "treeitem" }, button, list);
    if (wanted.some((w) => w === f.path || w.startsWith(f.path + "/"))) open(true);
    return li;
  }

  /** @param {Entry} f @param {string[]} wanted */
  file(f, wanted) {
    const url = `/get-artifact?run_id=${this.run}&path=${encodeURIComponent(f.path)}`;
    const a = h("a", {
      href: url, "data-file": f.path, onclick: (/** @type {MouseEvent} */ e) => {
        if (e.ctrlKey || e.metaKey) return;
        e.preventDefault();
        setURL({ artifact: f.path });
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
