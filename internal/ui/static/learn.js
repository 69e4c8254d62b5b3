// What the pages of the course do: forms that ask its API, keys, and what follows a lab while its
// file is worked on. <practice-session> and <mock-exam> have modules of their own.

import "./practice.js";
import "./mock.js";
import { confirmed, notice } from "./dom.js";
import { course } from "./course.js";

// A form with data-post sends its fields to that path; then the page shows what came of it, or
// data-then, where :id is the answer's id.
document.addEventListener("submit", async (e) => {
  const form = /** @type {HTMLFormElement} */ (e.target), { post, then, confirm, yes } = form.dataset;
  if (!post) return;
  e.preventDefault();
  if (confirm && !(await confirmed(confirm, yes ?? "Yes"))) return;
  const buttons = form.querySelectorAll("button");
  for (const b of buttons) b.disabled = true;
  try {
    const out = await course("POST", post, Object.fromEntries(new FormData(form)));
    if (then) location.assign(then.replace(":id", out.id));
    else location.reload();
  } catch (err) {
    for (const b of buttons) b.disabled = false;
    notice(/** @type {Error} */ (err).message);
  }
});

document.querySelector("[data-print]")?.addEventListener("click", () => print());

for (const box of document.querySelectorAll("[data-import]")) {
  box.addEventListener("change", async () => {
    const file = /** @type {HTMLInputElement} */ (box).files?.[0];
    if (!file || !(await confirmed("Import this file? It takes the place of all that is kept of its learner.", "Import"))) return;
    try {
      const record = JSON.parse(await file.text());
      const got = await course("POST", "/import", record);
      notice(`Imported ${got.answers} answers, ${got.mocks} mock exams, ${got.labs} labs of ${got.learner}.`, { label: "Show", do: () => location.reload() });
    } catch (err) {
      notice(err instanceof SyntaxError ? `${file.name} is not JSON.` : /** @type {Error} */ (err).message);
    }
  });
}

// Keys of a page with something to read: n and p turn over, m marks as read, h gives a hint.
document.addEventListener("keydown", (e) => {
  const at = /** @type {HTMLElement} */ (e.target);
  if (e.ctrlKey || e.metaKey || e.altKey || at.matches("input, textarea, select") || document.querySelector("mock-exam, practice-session")) return;
  const press = /** @type {Record<string, string>} */ ({ n: "a[data-key='n']", p: "a[data-key='p']", m: "form[data-post$='/finish'] button", h: "form[data-post$='/hint'] button" })[e.key];
  if (press) /** @type {HTMLElement | null} */ (document.querySelector(press))?.click();
});

// A lab's checks follow the attempts that the terminal makes. Only that section changes.
const pause = 3000;

async function follow(/** @type {HTMLElement} */ section) {
  for (;;) {
    await new Promise((r) => setTimeout(r, pause));
    if (document.hidden) continue;
    try {
      const lab = await course("GET", "/labs/" + section.dataset.live);
      if (String(lab.attempts) === section.dataset.attempts) continue;
      const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
      const now = /** @type {HTMLElement} */ (page.querySelector("[data-live]"));
      section.replaceChildren(...now.childNodes);
      section.dataset.attempts = now.dataset.attempts;
    } catch {
      // The server is away for a moment: the next round asks again.
    }
  }
}

const live = /** @type {HTMLElement | null} */ (document.querySelector("[data-live]"));
if (live) follow(live);
