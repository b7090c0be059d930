/** Held-out examples, and what a model of some moment answers to each. */

import { make, numberTable, setText } from "./dom.js";
import { Panel } from "./panel.js";

/** @typedef {Labs.AnswersMeta["examples"][number]} Example */

/**
 * Prompts with their likeliest answers as bars; the right one has a tick, heavier letters and a frame.
 *
 * @extends {Panel<Labs.PanelSpec, Labs.AnswersMeta>}
 */
export class AnswersPanel extends Panel {
  /**
   * @param {Labs.PanelSpec} spec
   * @param {Labs.Host} lab
   */
  constructor(spec, lab) {
    super(spec, lab);
    this.list = make("ol", { class: "course-lab-answers" });
    this.empty = make("p", { class: "course-lab-help", hidden: true });
    this.node.append(this.list, this.empty, ...(this.help ? [this.help] : []), this.behind);
  }

  draw() {
    if (!this.ready) return;
    const { examples, at, empty } = this.meta;
    while (this.list.children.length > examples.length) this.list.lastChild?.remove();
    while (this.list.children.length < examples.length) this.list.append(make("li", {}, make("p"), make("ul"), make("p")));
    examples.forEach((example, i) => this.drawExample(/** @type {HTMLElement} */ (this.list.children[i]), example));
    setText(this.empty, empty ?? "");
    this.empty.hidden = !empty;
    this.node.setAttribute("data-at", String(at ?? ""));
  }

  /**
   * @param {HTMLElement} item
   * @param {Example} example
   */
  drawExample(item, { prompt, right, guesses }) {
    const [asked, rows, missed] = /** @type {HTMLElement[]} */ ([...item.children]);
    setText(asked, prompt);
    while (rows.children.length > guesses.length) rows.lastChild?.remove();
    while (rows.children.length < guesses.length) {
      rows.append(make("li", {}, make("span", { class: "is-word" }), make("span", { class: "is-bar", "aria-hidden": "true" }), make("span", { class: "is-share" })));
    }
    guesses.forEach(([word, share], i) => {
      const row = /** @type {HTMLElement} */ (rows.children[i]);
      const hit = word === right;
      row.className = hit ? "is-right" : "";
      row.style.setProperty("--share", Math.min(Math.max(share, 0), 1).toFixed(3));
      setText(row.children[0], hit ? `✓ ${word}` : word);
      setText(row.children[2], percent(share) + (hit ? ", right" : ""));
    });
    const hit = guesses.some(([word]) => word === right);
    setText(missed, hit ? "" : `right: ${right}`);
    missed.hidden = hit;
  }

  table() {
    const rows = this.meta.examples.flatMap(({ prompt, right, guesses }) =>
      guesses.map(([word, share]) => [prompt, word, percent(share), right]));
    return numberTable(this.caption.textContent ?? "", ["prompt", "answer", "probability", "right"], rows);
  }
}

/**
 * A probability in percent; small ones are not nothing.
 * @param {number} share
 */
export function percent(share) {
  if (!Number.isFinite(share)) return "–";
  if (share > 0 && share < 0.01) return "under 1 %";
  return `${Math.round(100 * share)} %`;
}
