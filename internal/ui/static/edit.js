// Changes things where they are shown, through the REST API: <edit-text> a name or description,
// <edit-tags> a table of tags, <do-button> one action. Only what cannot be undone is asked twice.

import { h, confirmed, notice } from "./dom.js";
import { ask, post } from "./api.js";

const patch = (/** @type {string} */ path, /** @type {any} */ body) => ask("PATCH", "mlflow/" + path, body);
const remove = (/** @type {string} */ path, /** @type {any} */ body) => ask("DELETE", "mlflow/" + path, body);
const NOTE = "mlflow.note.content";

/** @typedef {{ref: string, version: string}} Of what a change is of */

/** @type {Record<string, (of: Of, value: string) => Promise<any>>} how a text is stored */
const texts = {
  "experiment.name": ({ ref }, value) => post("experiments/update", { experiment_id: ref, new_name: value }),
  "experiment.note": ({ ref }, value) => post("experiments/set-experiment-tag", { experiment_id: ref, key: NOTE, value }),
  "run.name": ({ ref }, value) => post("runs/update", { run_id: ref, run_name: value }),
  "run.note": ({ ref }, value) => post("runs/set-tag", { run_id: ref, key: NOTE, value }),
  "model.description": ({ ref }, value) => patch("registered-models/update", { name: ref, description: value }),
  "version.description": ({ ref, version }, value) => patch("model-versions/update", { name: ref, version, description: value }),
};

/** @type {Record<string, {set: (of: Of, key: string, value: string) => Promise<any>, remove: (of: Of, key: string) => Promise<any>}>} how tags are stored */
const tags = {
  run: { set: ({ ref }, key, value) => post("runs/set-tag", { run_id: ref, key, value }), remove: ({ ref }, key) => post("runs/delete-tag", { run_id: ref, key }) },
  model: { set: ({ ref }, key, value) => post("registered-models/set-tag", { name: ref, key, value }), remove: ({ ref }, key) => remove("registered-models/delete-tag", { name: ref, key }) },
  version: { set: ({ ref, version }, key, value) => post("model-versions/set-tag", { name: ref, version, key, value }), remove: ({ ref, version }, key) => remove("model-versions/delete-tag", { name: ref, version, key }) },
};

/** @type {Record<string, {do: (of: Of) => Promise<any>, ask?: string, then: string}>} single actions; then is where the page goes, "" to itself */
const actions = {
  "run.delete": { do: ({ ref }) => post("runs/delete", { run_id: ref }), then: "" },
  "run.restore": { do: ({ ref }) => post("runs/restore", { run_id: ref }), then: "" },
  "experiment.delete": { do: ({ ref }) => post("experiments/delete", { experiment_id: ref }), then: "" },
  "experiment.restore": { do: ({ ref }) => post("experiments/restore", { experiment_id: ref }), then: "" },
  "model.delete": { do: ({ ref }) => remove("registered-models/delete", { name: ref }), ask: "Delete this model, all its versions and aliases? This cannot be undone; its runs stay.", then: "/models" },
  "version.delete": { do: ({ ref, version }) => remove("model-versions/delete", { name: ref, version }), ask: "Delete this version? This cannot be undone; its run stays.", then: ".." },
  "comment.delete": { do: ({ ref }) => remove("comments/delete", { id: ref }), ask: "Delete this comment?", then: "" },
};

const of = (/** @type {HTMLElement} */ el) => ({ ref: el.getAttribute("ref") ?? "", version: el.getAttribute("version") ?? "" });
const failed = (/** @type {any} */ e) => notice(e.message);

class EditText extends HTMLElement {
  connectedCallback() {
    this.value = this.textContent?.trim() ?? "";
    this.show();
  }

  show() {
    const name = this.hasAttribute("multiline") ? "description" : "name";
    this.replaceChildren(h("span", { class: this.value ? "" : "dim" }, this.value),
      h("button", { class: "quiet edit", "aria-label": `Edit the ${name}`, onclick: () => this.edit() }, this.value ? "Edit" : (this.getAttribute("placeholder") ?? "Edit")));
  }

  edit() {
    const many = this.hasAttribute("multiline");
    const box = h(many ? "textarea" : "input", { "aria-label": "New text", rows: many ? 3 : undefined });
    box.value = this.value;
    const form = h("form", {
      class: "row", onsubmit: (/** @type {Event} */ e) => (e.preventDefault(), this.store(box.value.trim())),
      onkeydown: (/** @type {KeyboardEvent} */ e) => (e.key === "Escape" ? this.show() : e.key === "Enter" && (e.ctrlKey || e.metaKey) && form.requestSubmit()),
    }, box, h("button", { class: "primary" }, "Save"), h("button", { type: "button", onclick: () => this.show() }, "Cancel"));
    this.replaceChildren(form);
    box.focus();
    box.select();
  }

  async store(/** @type {string} */ value) {
    if (!value && !this.hasAttribute("multiline")) return notice("A name is needed.");
    try {
      await texts[this.getAttribute("kind") ?? ""](of(this), value);
      this.value = value;
      this.show();
    } catch (e) {
      failed(e);
    }
  }
}

class EditTags extends HTMLElement {
  connectedCallback() {
    const how = tags[this.getAttribute("kind") ?? ""];
    for (const row of this.querySelectorAll("tr")) {
      const [key, value] = [...row.cells].map((c) => c.textContent ?? "");
      row.append(h("td", { class: "num" }, h("button", { class: "quiet", "aria-label": `Edit ${key}`, onclick: () => this.form(key, value) }, "Edit"),
        h("button", { class: "quiet", "aria-label": `Delete ${key}`, onclick: () => this.run(how.remove(of(this), key)) }, "×")));
    }
    this.append(h("button", { class: "quiet add", onclick: () => this.form("", "") }, "Add a tag"));
  }

  form(/** @type {string} */ oldKey, /** @type {string} */ oldValue) {
    this.querySelector("form")?.remove();
    const how = tags[this.getAttribute("kind") ?? ""];
    const key = h("input", { placeholder: "key", "aria-label": "Key", value: oldKey, required: true, readonly: oldKey !== "" }), value = h("input", { placeholder: "value", "aria-label": "Value", value: oldValue });
    const form = h("form", { class: "row", onsubmit: (/** @type {Event} */ e) => (e.preventDefault(), this.run(how.set(of(this), key.value.trim(), value.value))) },
      key, value, h("button", { class: "primary" }, "Save"), h("button", { type: "button", onclick: () => form.remove() }, "Cancel"));
    this.append(form);
    (oldKey ? value : key).focus();
  }

  async run(/** @type {Promise<any>} */ change) {
    await change.then(() => location.reload(), failed);
  }
}

class DoButton extends HTMLElement {
  connectedCallback() {
    const action = actions[this.getAttribute("kind") ?? ""];
    const text = this.textContent?.trim() ?? "";
    this.replaceChildren(h("button", {
      class: this.hasAttribute("quiet") ? "quiet" : action.ask ? "danger" : "", onclick: async () => {
        if (action.ask && !(await confirmed(action.ask, text))) return;
        await action.do(of(this)).then(() => (action.then === "" ? location.reload() : location.assign(action.then === ".." ? location.pathname.replace(/\/versions\/.*/, "") : action.then)), failed);
      },
    }, text));
  }
}

class NewExperiment extends HTMLElement {
  connectedCallback() {
    const name = h("input", { placeholder: "name of a new experiment", "aria-label": "Name of a new experiment", required: true });
    this.append(h("form", {
      class: "row", onsubmit: (/** @type {Event} */ e) => {
        e.preventDefault();
        post("experiments/create", { name: name.value.trim() }).then((out) => location.assign("/experiments/" + out.experiment_id), failed);
      },
    }, name, h("button", {}, "Create")));
  }
}

customElements.define("edit-text", EditText);
customElements.define("edit-tags", EditTags);
customElements.define("do-button", DoButton);
customElements.define("new-experiment", NewExperiment);
