// <practice-session>: one question at a time. What is right comes from the server once the
// question was answered.

import { h, notice } from "./dom.js";
import { markdown } from "./markdown.js";
import { choose, chosen, course, inputs, isKey, press } from "./course.js";

class PracticeSession extends HTMLElement {
  /** @type {HTMLElement[]} */
  questions = [];
  at = 0;
  right = 0;
  asking = false;

  connectedCallback() {
    this.questions = [...this.querySelectorAll(/** @type {"article"} */ ("[data-question]"))];
    this.classList.add("live");
    this.addEventListener("click", (e) => {
      const on = /** @type {HTMLElement} */ (e.target);
      if (on.closest("[data-answer]")) this.answer();
      if (on.closest("[data-next]")) this.show(this.at + 1);
    });
    this.addEventListener("change", () => this.tell());
    document.addEventListener("keydown", (e) => this.key(e));
    this.show(0);
  }

  get question() {
    return /** @type {HTMLElement | undefined} */ (this.questions[this.at]);
  }

  key(/** @type {KeyboardEvent} */ e) {
    const q = this.question;
    if (!q || !isKey(e)) return;
    if (e.key === "Enter") {
      if (/** @type {HTMLElement} */ (e.target).closest("a, button")) return;
      e.preventDefault();
      if (q.dataset.told) this.show(this.at + 1);
      else this.answer();
    } else if (e.key === "u") {
      const unsure = /** @type {HTMLInputElement} */ (q.querySelector("[data-unsure]"));
      unsure.checked = !unsure.checked;
    } else if (press(q, e.key)) e.preventDefault();
  }

  show(/** @type {number} */ at) {
    this.at = at;
    this.questions.forEach((q, i) => q.classList.toggle("here", i === at));
    if (at >= this.questions.length) return this.end();
    this.tell();
    scrollTo(0, 0);
  }

  tell() {
    const n = this.questions.length, q = this.question, done = this.questions.filter((x) => x.dataset.told).length;
    const bar = h("progress", { max: n, value: done, "aria-label": "Answered" });
    this.querySelector("[data-count]")?.replaceChildren(bar, ` Question ${Math.min(n, this.at + 1)} of ${n} · ${this.right} right`);
    const answer = /** @type {HTMLButtonElement | null | undefined} */ (q?.querySelector("[data-answer]"));
    if (q && answer) answer.disabled = chosen(q).length !== Number(q.dataset.choose);
  }

  async answer() {
    const q = this.question;
    if (!q || q.dataset.told || this.asking) return;
    const picked = chosen(q), n = Number(q.dataset.choose);
    if (picked.length !== n) return notice(n === 1 ? "Choose an option first." : `Choose ${n} options; ${picked.length} are chosen.`);
    this.asking = true;
    try {
      const guessed = /** @type {HTMLInputElement} */ (q.querySelector("[data-unsure]")).checked;
      this.explain(q, picked, await course("POST", `/questions/${q.dataset.question}/answer`, { chosen: picked, guessed }));
    } catch (e) {
      notice(/** @type {Error} */ (e).message);
    } finally {
      this.asking = false;
    }
  }

  explain(/** @type {HTMLElement} */ q, /** @type {number[]} */ picked, /** @type {any} */ told) {
    q.dataset.told = "true";
    choose(q, picked); // a key pressed meanwhile counts no more
    for (const i of inputs(q)) i.disabled = true;
    q.querySelector(".options")?.classList.add("told");
    for (const w of told.why) {
      const li = /** @type {HTMLElement} */ (q.querySelector(`[data-option="${w.id}"]`)), mine = picked.includes(w.id);
      li.classList.add(w.right ? "right" : mine ? "wrong" : "other");
      li.append(h("div", { class: "why" }, h("b", {}, w.right ? "✓ Right. " : mine ? "✗ Wrong. " : ""), markdown(w.why)));
    }
    if (told.correct) this.right = this.right + 1;
    const last = this.at + 1 === this.questions.length;
    q.querySelector(".act")?.remove();
    q.querySelector(".verdict")?.replaceChildren(
      h("p", { class: "row" }, h("b", { class: "grade " + (told.correct ? "known" : "weak") }, told.correct ? "✓ Right" : "✗ Not right"),
        h("span", { class: "dim" }, `It comes back ${told.interval_days === 1 ? "tomorrow" : `in ${told.interval_days} days`}.`),
        h("span", { class: "push" }), h("button", { class: "primary", "data-next": true }, last ? "Finish" : "Next", " ", h("kbd", {}, "Enter"))),
      h("p", { class: "dim" }, "Sources: " + told.sources.join("; ")));
    this.tell();
  }

  end() {
    const n = this.questions.length;
    this.querySelector(".session")?.remove();
    this.append(h("section", { class: "next" }, h("p", { class: "over" }, "Done"), h("h1", {}, `${this.right} of ${n} right`),
      h("p", {}, "What was wrong comes back tomorrow, what you know later and later."),
      h("p", { class: "row" }, h("a", { class: "button primary", href: location.href, "data-more": true }, "More questions"), h("a", { class: "button", href: "/learn" }, "Today"))));
    /** @type {HTMLElement | null} */ (this.querySelector("[data-more]"))?.focus();
  }
}

customElements.define("practice-session", PracticeSession);
