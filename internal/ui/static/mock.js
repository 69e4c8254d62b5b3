// <mock-exam>: an exam that runs. Every choice is saved at once and kept here until it is; the
// clock is the server's. Several windows may show one exam: each change touches its own question.

import { confirmed, notice, setURL, urlState } from "./dom.js";
import { choose, chosen, course, inputs, isKey, press, Refused } from "./course.js";

/** @typedef {{chosen?: number[], flagged?: boolean}} Mark */

const retry = 2000, look = 15000, short = 300;

class MockExam extends HTMLElement {
  mock = this.getAttribute("mock") ?? "";
  key = "millpond-mock-" + this.mock;
  /** @type {HTMLElement[]} */
  questions = [];
  /** @type {Map<number, Mark>} what the server does not have yet */
  unsaved = new Map();
  place = 0;
  end = 0;
  sending = false;
  over = false;

  connectedCallback() {
    this.questions = [...this.querySelectorAll(/** @type {"article"} */ ("[data-place]"))];
    this.unsaved = new Map(JSON.parse(localStorage.getItem(this.key) ?? "[]"));
    this.questions.forEach((q, place) => this.put(place, { chosen: (q.dataset.chosen ?? "").split(",").filter(Boolean).map(Number), ...this.unsaved.get(place) }));
    this.classList.add("live");
    this.anchor(Number(this.getAttribute("remaining")));
    this.listen();
    this.show(Number(urlState("question") || 1) - 1, false);
    this.tick();
    this.flush();
  }

  listen() {
    this.addEventListener("click", (e) => {
      const on = /** @type {HTMLElement} */ (e.target), go = on.closest("[data-go]"), step = on.closest("[data-step]");
      if (go) e.preventDefault(), this.show(Number(go.getAttribute("data-go")));
      if (step) this.show(this.place + Number(step.getAttribute("data-step")));
      if (on.closest("[data-finish]")) this.finish();
    });
    this.addEventListener("change", (e) => {
      const q = /** @type {HTMLElement} */ (e.target).closest("[data-place]"), input = /** @type {HTMLInputElement} */ (e.target);
      if (!q) return;
      const place = Number(q.getAttribute("data-place"));
      if (input.matches("[data-flag]")) return this.mark(place, { flagged: input.checked });
      const now = chosen(q), n = this.most(q);
      if (now.length > n) {
        input.checked = false;
        return notice(`Choose ${n} options; take one away first.`);
      }
      this.mark(place, { chosen: now });
    });
    document.addEventListener("keydown", (e) => this.press(e));
    addEventListener("popstate", () => this.show(Number(urlState("question") || 1) - 1, false));
    addEventListener("beforeunload", (e) => this.unsaved.size && !this.over && e.preventDefault());
    const sync = () => !document.hidden && this.sync();
    document.addEventListener("visibilitychange", sync);
    addEventListener("focus", sync);
    setInterval(sync, look);
    setInterval(() => this.tick(), 250);
  }

  press(/** @type {KeyboardEvent} */ e) {
    const q = this.questions[this.place];
    if (!q || !isKey(e)) return;
    const flag = /** @type {HTMLInputElement} */ (q.querySelector("[data-flag]"));
    if (e.key === "n") this.show(this.place + 1);
    else if (e.key === "p") this.show(this.place - 1);
    else if (e.key === "f") flag.click();
    else if (press(q, e.key)) e.preventDefault();
  }

  // most is how many options a question takes: one of radio buttons, else what it says.
  most(/** @type {Element} */ q) {
    return Number(q.getAttribute("data-choose")) || inputs(q).length;
  }

  show(/** @type {number} */ place, push = true) {
    this.place = Math.max(0, Math.min(this.questions.length - 1, place || 0));
    this.questions.forEach((q, i) => q.classList.toggle("here", i === this.place));
    if (push) setURL({ question: String(this.place + 1) });
    this.draw();
  }

  // put shows what is chosen of a question.
  put(/** @type {number} */ place, /** @type {Mark} */ m) {
    const q = this.questions[place];
    if (!q) return;
    if (m.chosen) choose(q, m.chosen);
    if (m.flagged !== undefined) /** @type {HTMLInputElement} */ (q.querySelector("[data-flag]")).checked = m.flagged;
  }

  state(/** @type {Element} */ q) {
    return { answered: chosen(q).length > 0, flagged: /** @type {HTMLInputElement} */ (q.querySelector("[data-flag]")).checked };
  }

  draw() {
    const states = this.questions.map((q) => this.state(q));
    states.forEach((s, i) => {
      const a = /** @type {HTMLElement} */ (this.querySelector(`[data-go="${i}"]`));
      a.className = (s.answered ? "answered" : "") + (s.flagged ? " flagged" : "") + (i === this.place ? " here" : "");
      a.setAttribute("aria-label", `Question ${i + 1}, ${s.answered ? "answered" : "open"}${s.flagged ? ", flagged" : ""}`);
      if (i === this.place) a.setAttribute("aria-current", "true");
      else a.removeAttribute("aria-current");
    });
    const answered = states.filter((s) => s.answered).length, flagged = states.filter((s) => s.flagged).length;
    /** @type {Element} */ (this.querySelector("[data-state]")).textContent = `${answered} of ${states.length} answered · ${flagged} flagged`;
    for (const b of this.querySelectorAll("[data-step]")) {
      const to = this.place + Number(b.getAttribute("data-step"));
      /** @type {HTMLButtonElement} */ (b).disabled = to < 0 || to >= states.length;
    }
  }

  mark(/** @type {number} */ place, /** @type {Mark} */ change) {
    this.unsaved.set(place, { ...this.unsaved.get(place), ...change });
    this.keep();
    this.draw();
    this.flush();
  }

  keep() {
    if (this.unsaved.size) localStorage.setItem(this.key, JSON.stringify([...this.unsaved]));
    else localStorage.removeItem(this.key);
  }

  say(/** @type {string} */ text, bad = false) {
    const el = /** @type {Element} */ (this.querySelector("[data-saved]"));
    el.textContent = text;
    el.className = bad ? "unsaved" : "dim";
  }

  // flush saves what is not saved, one question after the other, until all is.
  async flush() {
    if (this.sending || this.over) return;
    this.sending = true;
    try {
      for (let next; (next = this.unsaved.entries().next().value); ) {
        const [place, change] = next;
        this.say("saving…");
        if (await this.send(place, change)) {
          if (this.unsaved.get(place) === change) this.unsaved.delete(place);
          this.keep();
        } else await new Promise((r) => setTimeout(r, retry));
      }
      this.say("all saved");
    } finally {
      this.sending = false;
    }
  }

  async send(/** @type {number} */ place, /** @type {Mark} */ change) {
    try {
      const { remaining_seconds } = await course("POST", `/mocks/${this.mock}/questions/${place}`, change);
      this.anchor(remaining_seconds);
      return true;
    } catch (e) {
      if (e instanceof Refused && e.status === 409) return this.leave(), true;
      if (e instanceof Refused && e.status < 500) return notice(e.message), true;
      this.say(`not saved: ${/** @type {Error} */ (e).message}; trying again`, true);
      return false;
    }
  }

  // sync shows what other windows changed, and sets the clock: this one may have slept.
  async sync() {
    if (this.over) return;
    try {
      const m = await course("GET", "/mocks/" + this.mock);
      if (m.finished) return this.leave();
      this.anchor(m.remaining_seconds);
      for (const q of m.questions) if (!this.unsaved.has(q.place)) this.put(q.place, q);
      this.draw();
    } catch {
      // The server is away; saving says so, and the next round asks again.
    }
  }

  anchor(/** @type {number} */ seconds) {
    this.end = performance.now() + 1000 * seconds;
  }

  tick() {
    if (this.over) return;
    const left = Math.max(0, Math.ceil((this.end - performance.now()) / 1000)), two = (/** @type {number} */ n) => String(n).padStart(2, "0");
    const el = /** @type {Element} */ (this.querySelector(".clock"));
    el.textContent = `${Math.floor(left / 3600)}:${two(Math.floor(left / 60) % 60)}:${two(left % 60)}`;
    el.classList.toggle("short", left < short);
    if (left === 0) {
      this.anchor(look / 1000); // asked again if the server's clock is a moment behind
      this.sync();
    }
  }

  async finish() {
    const states = this.questions.map((q) => this.state(q)), open = states.filter((s) => !s.answered).length, flagged = states.filter((s) => s.flagged).length;
    const what = [open && `${open} open`, flagged && `${flagged} flagged`].filter(Boolean).join(" and ");
    if (!(await confirmed(`Finish the exam? ${what ? `There are ${what}. ` : "Every question is answered. "}It cannot be opened again.`, "Finish the exam"))) return;
    await this.flush();
    if (this.unsaved.size) return notice("Some answers are not saved yet; wait a moment and finish then.");
    try {
      await course("POST", `/mocks/${this.mock}/finish`, {});
      this.leave();
    } catch (e) {
      notice(/** @type {Error} */ (e).message);
    }
  }

  // leave shows the review, which stands at the same address.
  leave() {
    this.over = true;
    localStorage.removeItem(this.key);
    location.assign("/learn/mocks/" + this.mock);
  }
}

customElements.define("mock-exam", MockExam);
