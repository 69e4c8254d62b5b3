// <version-editor>: a model version's stage and aliases.

import { h, checkbox, notice } from "./dom.js";
import { ask, post } from "./api.js";

const stages = ["None", "Staging", "Production", "Archived"];

class VersionEditor extends HTMLElement {
  connectedCallback() {
    const name = this.getAttribute("name") ?? "", version = this.getAttribute("version") ?? "", stage = this.getAttribute("stage") || "None";
    const aliases = (this.getAttribute("aliases") ?? "").split(" ").filter(Boolean);
    const done = (/** @type {Promise<any>} */ change) => change.then(() => location.reload(), (e) => notice(e.message));

    let archive = true;
    const box = h("select", { "aria-label": "Stage" }, ...stages.map((s) => h("option", { value: s, selected: s === stage }, s)));
    const keep = checkbox("archive what is in that stage now", archive, (v) => (archive = v));
    const move = h("button", { class: "primary", disabled: true, onclick: () => done(post("model-versions/transition-stage", { name, version, stage: box.value, archive_existing_versions: archive && keep.style.display !== "none" })) }, "Move");
    const active = () => {
      move.disabled = box.value === stage;
      keep.style.display = ["Staging", "Production"].includes(box.value) && box.value !== stage ? "" : "none";
    };
    box.addEventListener("change", active);
    active();

    const alias = h("input", { placeholder: "alias, such as champion", "aria-label": "New alias", required: true });
    const add = h("form", { class: "row", onsubmit: (/** @type {Event} */ e) => (e.preventDefault(), done(post("registered-models/alias", { name, alias: alias.value.trim().replace(/^@/, ""), version }))) }, alias, h("button", {}, "Set alias"));
    this.append(h("div", { class: "editor" },
      h("div", { class: "row" }, h("span", { class: "dim" }, "Stage"), box, keep, move),
      h("div", { class: "row" }, h("span", { class: "dim" }, "Aliases"),
        ...aliases.map((a) => h("span", { class: "alias" }, "@" + a, h("button", { class: "quiet", "aria-label": `Delete the alias ${a}`, onclick: () => done(ask("DELETE", "mlflow/registered-models/alias", { name, alias: a })) }, "×"))), add)));
  }
}

customElements.define("version-editor", VersionEditor);
