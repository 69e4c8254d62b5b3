// Builds elements. Text is always text: nothing a client logged becomes markup.

/** @typedef {string | number | Node | null | undefined | false} Child */

const SVG = "http://www.w3.org/2000/svg";

/**
 * h makes an element. A key that begins with "on" is a listener; true and false set or leave out
 * an attribute; "style" is an object.
 * @param {string} tag
 * @param {Record<string, any>} [attrs]
 * @param {...Child} children
 * @returns {any}
 */
export function h(tag, attrs = {}, ...children) {
  return fill(document.createElement(tag), attrs, children);
}

/** svg makes an element of a drawing. @param {string} tag @param {Record<string, any>} [attrs] @param {...Child} children @returns {any} */
export function svg(tag, attrs = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attrs, children);
}

/** @param {Element} el @param {Record<string, any>} attrs @param {Child[]} children */
function fill(el, attrs, children) {
  for (const [key, value] of Object.entries(attrs)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) el.addEventListener(key.slice(2), value);
    else if (key === "style") Object.assign(/** @type {any} */ (el).style, value);
    else el.setAttribute(key, value === true ? "" : String(value));
  }
  el.append(...children.filter((c) => c !== null && c !== undefined && c !== false).map((c) => (typeof c === "number" ? String(c) : /** @type {any} */ (c))));
  return el;
}

/** select makes a choice with a label. @param {string} label @param {[string, string][]} options @param {string} value @param {(v: string) => void} changed */
export function select(label, options, value, changed) {
  const box = h("select", { onchange: () => changed(box.value) }, ...options.map(([v, text]) => h("option", { value: v, selected: v === value }, text)));
  return h("label", { class: "field" }, label, box);
}

/** checkbox @param {string} label @param {boolean} value @param {(v: boolean) => void} changed */
export function checkbox(label, value, changed) {
  const box = h("input", { type: "checkbox", checked: value, onchange: () => changed(box.checked) });
  return h("label", { class: "field" }, box, label);
}

/** urlState reads a part of the address. @param {string} key */
export const urlState = (key) => new URLSearchParams(location.search).get(key) ?? "";

/** setURL writes parts of the address; "" removes one. @param {Record<string, string>} parts @param {boolean} [push] a step for the back button */
export function setURL(parts, push = false) {
  const q = new URLSearchParams(location.search);
  for (const [k, v] of Object.entries(parts)) v ? q.set(k, v) : q.delete(k);
  const to = location.pathname + (q.size ? "?" + q : "") + location.hash;
  if (push) history.pushState(null, "", to);
  else history.replaceState(null, "", to);
}

/** notice tells what happened, with something to do about it. @param {string} text @param {{label: string, do: () => void}} [action] */
export function notice(text, action) {
  document.querySelector(".notice")?.remove();
  const close = () => box.remove();
  const box = h("div", { class: "notice", role: "status" }, text,
    action && h("button", { onclick: () => (close(), action.do()) }, action.label),
    h("button", { class: "quiet", "aria-label": "Close", onclick: close }, "×"));
  document.body.append(box);
  setTimeout(close, action ? 20000 : 6000);
}

/** confirmed asks before what is hard to undo. @param {string} question @param {string} yes @returns {Promise<boolean>} */
export function confirmed(question, yes) {
  return new Promise((resolve) => {
    const done = (/** @type {boolean} */ v) => (box.close(), box.remove(), resolve(v));
    const box = h("dialog", { oncancel: () => done(false) }, h("p", {}, question),
      h("p", { class: "buttons" }, h("button", { onclick: () => done(false) }, "Cancel"), h("button", { class: "danger", onclick: () => done(true) }, yes)));
    document.body.append(box);
    box.showModal();
  });
}

/** save hands a file to the visitor. @param {string} name @param {string} type @param {string} text */
export function save(name, type, text) {
  const a = h("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 1000);
}
