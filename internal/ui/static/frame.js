// What stands around every page: the rail that folds, and the list of keys.

import { h } from "./dom.js";

// keys are those that pages know; a page has them where it has what they act on.
const keys = [
  ["/", "search", ""], ["[", "fold or unfold the rail", ""], ["?", "show or hide this list", ""],
  ["j k", "next and previous row", "table[data-keys], runs-table"], ["Enter", "open the row", "table[data-keys], runs-table"],
  ["x", "choose the row", "runs-table, td.pick"], ["c", "compare the chosen runs", "runs-table"], ["Esc", "choose none", "runs-table"],
  ["Ctrl Enter", "save a text that is edited", "edit-text"], ["Tab", "take a completion in the filter", "form.filter input[name=filter]"],
  ["1–6", "choose an answer", "mock-exam, practice-session"], ["n p", "next and previous question", "mock-exam"], ["f", "flag for review", "mock-exam"],
  ["u", "say that you are unsure", "practice-session"], ["Enter", "answer, then the next question", "practice-session"],
];

const rail = /** @type {HTMLElement | null} */ (document.querySelector(".rail"));
const fold = h("button", { class: "quiet turn", onclick: () => turn() });
rail?.append(h("span", { class: "push" }), h("button", { class: "quiet", title: "Keys (?)", onclick: () => help() }, h("kbd", {}, "?"), h("span", { class: "word" }, " Keys")), fold);
tell();

function tell() {
  const narrow = document.body.classList.contains("narrow");
  fold.replaceChildren(narrow ? "»" : "«", h("span", { class: "word" }, narrow ? "" : " Fold"));
  fold.title = (narrow ? "Unfold" : "Fold") + " the rail ([)";
  fold.setAttribute("aria-expanded", String(!narrow));
}

// turn folds the rail or unfolds it. A cookie keeps it, so that the server draws the next page right at once.
function turn() {
  const narrow = document.body.classList.toggle("narrow");
  document.cookie = `rail=${narrow ? "narrow" : "wide"}; path=/; max-age=31536000; samesite=strict`;
  tell();
  dispatchEvent(new Event("resize"));
}

function help() {
  const open = document.querySelector("aside.keys");
  if (open) return open.remove();
  document.body.append(h("aside", { class: "keys", "aria-label": "Keys" }, h("h2", {}, "Keys", h("button", { class: "quiet", "aria-label": "Close", onclick: () => help() }, "×")),
    h("table", { class: "plain" }, ...keys.filter(([, , where]) => !where || document.querySelector(where)).map(([key, what]) =>
      h("tr", {}, h("td", {}, ...key.split(" ").flatMap((k) => [h("kbd", {}, k), " "])), h("td", {}, what))))));
}

document.addEventListener("keydown", (e) => {
  const at = /** @type {HTMLElement} */ (e.target);
  if (e.ctrlKey || e.metaKey || e.altKey || at.matches("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
  if (e.key === "?") help();
  else if (e.key === "[") turn();
  else if (e.key === "Escape") document.querySelector("aside.keys")?.remove();
});
