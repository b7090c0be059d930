/** Whole texts below one another, each in its own direction. */

import { make, setText } from "./dom.js";
import { Panel } from "./panel.js";
import { sameValue } from "./text.js";

/**
 * Texts with a name each. What differs between them is marked: the parts at odd places. Every text stands
 * in the direction of its script, apart from the words around it.
 *
 * @extends {Panel<Labs.TextsSpec, Labs.TextsMeta>}
 */
export class TextsPanel extends Panel {
  /**
   * @param {Labs.TextsSpec} spec
   * @param {Labs.Host} lab
   */
  constructor(spec, lab) {
    super(spec, lab);
    this.list = make("ul", { class: "course-lab-texts" });
    /** @type {Labs.TextRow[]} */
    this.written = []; // the rows as they stand on the page
    this.node.append(this.list, ...(this.help ? [this.help] : []));
  }

  draw() {
    if (!this.ready) return;
    const { rows } = this.meta;
    const there = [...this.list.children];
    if (there.length !== rows.length) this.list.replaceChildren(...rows.map((_, i) => there[i] ?? makeRow()));
    rows.forEach((row, i) => {
      if (!sameValue(row, this.written[i])) fillRow(/** @type {HTMLElement} */ (this.list.children[i]), row);
    });
    this.written = rows;
  }

  /** All of it is words. */
  showTable() {}
}

function makeRow() {
  const [text, note] = [make("bdi", { dir: "auto" }), make("small")];
  return make("li", {}, make("span", { class: "is-name" }), make("span", { class: "is-text" }, text, note));
}

/**
 * @param {HTMLElement} node
 * @param {Labs.TextRow} row
 */
function fillRow(node, { label, parts, language, note, right }) {
  const [name, value] = /** @type {HTMLElement[]} */ ([...node.children]);
  const [text, told] = /** @type {HTMLElement[]} */ ([...value.children]);
  setText(name, label);
  text.lang = language;
  text.replaceChildren(...parts.map((part, i) => (i % 2 ? make("mark", {}, part) : part)));
  setText(told, note);
  told.className = right === undefined ? "" : right ? "is-right" : "is-wrong";
}
