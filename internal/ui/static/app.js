// What every page has: keys, copy buttons, and the elements it uses.
import "./runs-table.js";
import "./metric-curves.js";
import "./run-compare.js";
import "./artifact-browser.js";
import "./version-editor.js";
import "./edit.js";
import "./trace-view.js";
import "./frame.js";

// MLflow's clients print the addresses of its own pages: /#/experiments/1/runs/...
if (location.pathname === "/" && /^#\/[^/\\]/.test(location.hash)) location.replace(location.hash.slice(1));

for (const pre of document.querySelectorAll("pre[data-copy]")) {
  const text = pre.textContent ?? "";
  const button = document.createElement("button");
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  pre.append(button);
}

// The server writes times as UTC; on hover they are in the reader's zone.
for (const t of document.querySelectorAll("time[datetime]")) t.setAttribute("title", new Date(t.getAttribute("datetime") ?? "").toLocaleString());

document.addEventListener("keydown", (e) => {
  const at = /** @type {HTMLElement} */ (e.target);
  if (e.ctrlKey || e.metaKey || e.altKey || at.matches("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
  if (e.key === "/") {
    e.preventDefault();
    /** @type {HTMLElement | null} */ (document.querySelector("[data-focus-key='/']"))?.focus();
    return;
  }
  moveInTable(e);
});

// j and k move in a table's rows, enter opens the row's link.
function moveInTable(/** @type {KeyboardEvent} */ e) {
  const table = document.querySelector("table[data-keys]");
  if (!table || !["j", "k", "x", "Enter"].includes(e.key)) return;
  const rows = [...table.querySelectorAll("tbody tr:not([hidden])")];
  const now = rows.findIndex((r) => r.classList.contains("at"));
  if (e.key === "Enter") {
    if (now >= 0) /** @type {HTMLElement | null} */ (rows[now].querySelector("a"))?.click();
    return;
  }
  if (e.key === "x") return /** @type {HTMLElement | null | undefined} */ (rows[now]?.querySelector("input[type=checkbox]"))?.click();
  const next = rows[Math.max(0, Math.min(rows.length - 1, now + (e.key === "j" ? 1 : -1)))];
  rows[now]?.classList.remove("at");
  next?.classList.add("at");
  next?.scrollIntoView({ block: "nearest" });
}

for (const box of document.querySelectorAll("input[data-toggle='same']")) {
  const show = () => {
    for (const row of document.querySelectorAll("tr.same")) row.classList.toggle("hide", /** @type {HTMLInputElement} */ (box).checked);
  };
  box.addEventListener("change", show);
  show();
}
