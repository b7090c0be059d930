/** Elements: made, named, written to. Every id on the page is made here. */

import { nextNumber } from "./page.js";

/**
 * Make an id that nothing else on the page has, in this lab or another.
 * @param {string} what - "control" or "panel"
 */
export function newId(what) {
  return `course-lab-${what}-${nextNumber()}`;
}

/**
 * Make the id of a part of an element that has one.
 * @param {string} id
 * @param {string | number} part
 */
export function partId(id, part) {
  return `${id}-${part}`;
}

/**
 * Make an element: attributes by name, those that are undefined, null or false left out.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number | boolean | null | undefined>} attributes
 * @param {(Node | string | null | undefined)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = String(value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child !== null && child !== undefined) node.append(child);
  return node;
}

/**
 * Let a control keep its keys: JupyterLab would take arrow keys, and letters in command mode.
 * @template {Element} E
 * @param {E} node
 */
export function keepKeys(node) {
  node.setAttribute("data-lm-suppress-shortcuts", "true");
  node.addEventListener("keydown", (event) => passSave(/** @type {KeyboardEvent} */ (event)));
  return node;
}

/**
 * Hand Ctrl+S on to the page: JupyterLab saves the notebook, where the browser would save the page.
 * @param {KeyboardEvent} event
 */
function passSave(event) {
  if (event.key !== "s" || !(event.ctrlKey || event.metaKey)) return;
  const { key, code, keyCode, ctrlKey, metaKey } = event;
  const copy = new KeyboardEvent("keydown", { key, code, keyCode, ctrlKey, metaKey, bubbles: true, cancelable: true });
  if (!document.body.dispatchEvent(copy)) event.preventDefault();
}

/**
 * Write text only where it changes, into the existing text node: a new one costs a layout.
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  const own = node.firstChild;
  if (own === null || own !== node.lastChild || own.nodeType !== Node.TEXT_NODE) node.textContent = text;
  else if (own.nodeValue !== text) own.nodeValue = text;
}

/**
 * @param {HTMLCanvasElement} canvas
 */
export function contextOf(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/**
 * Set a canvas's font only where it differs: setting one makes the browser settle all styles first.
 * @param {CanvasRenderingContext2D} context
 * @param {string} font
 */
export function setFont(context, font) {
  if (context.font !== font) context.font = font;
}

/**
 * Make a table of numbers; the first cell of each row is its label.
 * @param {string} caption
 * @param {string[]} head
 * @param {string[][]} body
 */
export function numberTable(caption, head, body) {
  return make("table", {},
    make("caption", {}, caption),
    make("thead", {}, make("tr", {}, ...head.map((label) => make("th", { scope: "col" }, label)))),
    make("tbody", {}, ...body.map(([label, ...numbers]) => make("tr", {},
      make("th", { scope: "row" }, label), ...numbers.map((number) => make("td", {}, number))))));
}
