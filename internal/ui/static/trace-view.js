// <trace-view>: a click on a span of the waterfall shows it beside, without moving the waterfall.

class TraceView extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (e) => {
      const a = /** @type {HTMLAnchorElement | null} */ (/** @type {Element} */ (e.target).closest(".waterfall a"));
      if (!a || e.ctrlKey || e.metaKey || e.shiftKey) return;
      e.preventDefault();
      history.pushState(null, "", a.href);
      this.show();
    });
    addEventListener("popstate", () => this.show());
  }

  // show takes the part about the span from the page that the address names.
  async show() {
    const url = location.href;
    /** @param {ParentNode} of */
    const detail = (of) => of.querySelector(".span-detail");
    let fresh = null;
    try {
      fresh = detail(new DOMParser().parseFromString(await (await fetch(url)).text(), "text/html"));
    } catch {
      // The server is away: the browser says so better than this page could.
    }
    if (url !== location.href) return; // another span was asked for meanwhile
    if (!fresh) return location.reload();
    detail(this)?.replaceWith(fresh);
    const id = new URLSearchParams(location.search).get("span") ?? this.querySelector("tr[data-span]")?.getAttribute("data-span");
    for (const row of this.querySelectorAll("tr[data-span]")) {
      const here = row.getAttribute("data-span") === id;
      row.classList.toggle("at", here);
      here ? row.querySelector("a")?.setAttribute("aria-current", "true") : row.querySelector("a")?.removeAttribute("aria-current");
    }
  }
}

customElements.define("trace-view", TraceView);
