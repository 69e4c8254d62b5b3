// <version-editor>: a model version's stage and aliases. <stage-request>: the answer to a request
// for a stage. <version-comment>: what somebody has to say of it.

import { h, checkbox, notice } from "./dom.js";
import { ask, post } from "./api.js";

const stages = ["None", "Staging", "Production", "Archived"];

const done = (/** @type {Promise<any>} */ change) => change.then(() => location.reload(), (e) => notice(e.message));
const of = (/** @type {HTMLElement} */ el) => ({ name: el.getAttribute("name") ?? "", version: el.getAttribute("version") ?? "" });

class VersionEditor extends HTMLElement {
  connectedCallback() {
    const { name, version } = of(this), stage = this.getAttribute("stage") || "None";
    const aliases = (this.getAttribute("aliases") ?? "").split(" ").filter(Boolean);
    let archive = true;
    const box = h("select", { "aria-label": "Stage" }, ...stages.map((s) => h("option", { value: s, selected: s === stage }, s)));
    const keep = checkbox("archive what is in that stage now", archive, (v) => (archive = v));
    const move = h("button", { class: "primary", disabled: true, onclick: () => done(post("model-versions/transition-stage", { name, version, stage: box.value, comment: why.value.trim(), archive_existing_versions: archive && keep.style.display !== "none" })) }, "Move");
    const why = h("input", { placeholder: "why (kept in the history)", "aria-label": "Comment" });
    const request = h("button", { title: "Others approve or reject it on this page", onclick: () => done(post("transition-requests/create", { name, version, stage: box.value, comment: why.value.trim() })) }, "Request");
    const active = () => {
      move.disabled = request.disabled = box.value === stage;
      why.style.display = box.value === stage ? "none" : "";
      keep.style.display = ["Staging", "Production"].includes(box.value) && box.value !== stage ? "" : "none";
    };
    box.addEventListener("change", active);
    active();

    const alias = h("input", { placeholder: "alias, such as champion", "aria-label": "New alias", required: true });
    const add = h("form", { class: "row", onsubmit: (/** @type {Event} */ e) => (e.preventDefault(), done(post("registered-models/alias", { name, alias: alias.value.trim().replace(/^@/, ""), version }))) }, alias, h("button", {}, "Set alias"));
    this.append(h("div", { class: "editor" },
      h("div", { class: "row" }, h("span", { class: "dim" }, "Stage"), box, keep, why, move, request),
      h("div", { class: "row" }, h("span", { class: "dim" }, "Aliases"),
        ...aliases.map((a) => h("span", { class: "alias" }, "@" + a, h("button", { class: "quiet", "aria-label": `Delete the alias ${a}`, onclick: () => done(ask("DELETE", "mlflow/registered-models/alias", { name, alias: a })) }, "×"))), add)));
  }
}

class StageRequest extends HTMLElement {
  connectedCallback() {
    const stage = this.getAttribute("stage") ?? "", active = ["Staging", "Production"].includes(stage);
    let archive = active;
    const comment = h("input", { placeholder: "a comment", "aria-label": "Comment on the request" });
    const body = () => ({ ...of(this), stage, comment: comment.value.trim() });
    this.append(h("div", { class: "row" }, comment, active && checkbox("archive what is in that stage now", archive, (v) => (archive = v)),
      h("button", { class: "primary", onclick: () => done(post("transition-requests/approve", { ...body(), archive_existing_versions: archive })) }, "Approve"),
      h("button", { onclick: () => done(post("transition-requests/reject", body())) }, "Reject"),
      h("button", { class: "quiet", title: "Only who asked can", onclick: () => done(ask("DELETE", "mlflow/transition-requests/delete", body())) }, "Withdraw")));
  }
}

class VersionComment extends HTMLElement {
  connectedCallback() {
    const box = h("textarea", { rows: 2, placeholder: "Write a comment", "aria-label": "Comment", required: true });
    this.append(h("form", { class: "row", onsubmit: (/** @type {Event} */ e) => (e.preventDefault(), done(post("comments/create", { ...of(this), comment: box.value.trim() }))) }, box, h("button", {}, "Comment")));
  }
}

customElements.define("stage-request", StageRequest);
customElements.define("version-comment", VersionComment);
customElements.define("version-editor", VersionEditor);
