/** A ranking of passages in words, with what they share with a question. */

import { matchLabels, shortSigned, tellNewAndGone } from "./differences.js";
import { keepKeys, make, numberTable, partId, setText } from "./dom.js";
import { Panel } from "./panel.js";
import { clamp, formatNumber } from "./text.js";

/** @typedef {Labs.PassagesMeta["entries"][number]} Entry */

/**
 * How many passages a key goes.
 * @type {Record<string, number | undefined>}
 */
const PASSES = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 };

/**
 * The best passages for a question, best first, one chosen: it is shown in full, and marked in every
 * ranking that has it. The list itself has the focus; arrow keys, Home and End go from one to the next.
 *
 * @extends {Panel<Labs.PassagesSpec, Labs.PassagesMeta>}
 */
export class PassagesPanel extends Panel {
  /**
   * @param {Labs.PassagesSpec} spec
   * @param {Labs.Host} lab
   */
  constructor(spec, lab) {
    super(spec, lab);
    /** @type {number[] | null} */
    this.partners = null; // for each passage, its place in the kept ranking; -1 for a new one
    this.list = keepKeys(make("div", {
      class: "course-lab-passages", tabindex: "0", role: "listbox", "aria-labelledby": this.caption.id,
      "aria-describedby": this.help?.id,
    }));
    this.empty = make("p", { class: "course-lab-says", hidden: true });
    this.node.append(this.list, this.empty, ...(this.help ? [this.help] : []), this.behind);
    this.list.addEventListener("keydown", (event) => this.onKey(event));
    this.list.addEventListener("click", (event) => this.choose(this.placeOf(event.target)));
    this.list.addEventListener("pointerover", (event) => this.hover(this.placeOf(event.target)));
    this.list.addEventListener("pointerleave", () => this.hover(-1));
  }

  /**
   * An answer that was on its way does not take back what was chosen meanwhile.
   * @param {Partial<Labs.PassagesMeta>} meta
   * @param {DataView[]} buffers
   */
  update(meta, buffers) {
    const ahead = this.ready && this.lab.isMoving(this.spec.chooses);
    super.update(ahead ? { ...meta, chosen: this.meta.chosen } : meta, buffers);
    if (meta.entries) this.compare();
  }

  /**
   * The place in the list of the passage that an element belongs to; -1 for none.
   * @param {EventTarget | null} node
   */
  placeOf(node) {
    const item = /** @type {Element} */ (node).closest("[role=option]");
    return item ? [...this.list.children].indexOf(item) : -1;
  }

  /** The place of the chosen passage; -1 where it is in another ranking only. */
  get at() {
    return this.meta.entries.findIndex(({ id }) => id === this.meta.chosen);
  }

  /**
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    if (!this.ready || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.meta.entries.length - 1;
    const step = PASSES[event.key];
    const ends = event.key === "Home" ? 0 : event.key === "End" ? last : undefined;
    const to = ends ?? (step && (this.at < 0 ? 0 : clamp(this.at + step, 0, last)));
    if (to === undefined) return;
    this.choose(to);
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * The mark moves at once, the numbers follow from Python.
   * @param {number} place
   */
  choose(place) {
    const entry = this.meta.entries?.[place];
    if (!entry || entry.id === this.meta.chosen) return;
    this.meta.chosen = entry.id;
    this.mark();
    this.lab.change({ [this.spec.chooses]: entry.id });
  }

  /**
   * Let the other rankings show the passage under the pointer.
   * @param {number} place
   */
  hover(place) {
    const entry = this.meta.entries?.[place];
    this.lab.point(entry ? { [this.spec.chooses]: entry.id } : null, this);
  }

  /**
   * @param {Record<string, number> | null} at
   */
  point(at) {
    const id = at?.[this.spec.chooses];
    this.meta.entries?.forEach((entry, i) => this.list.children[i]?.classList.toggle("is-pointed", entry.id === id));
  }

  /** The passages' names, for a comparison. */
  names() {
    return this.meta.entries.map(({ title, parts }) => `${title}: ${parts.join("").slice(0, 30)}`);
  }

  snapshot() {
    return { names: this.names(), scores: this.meta.entries.map(({ score }) => score) };
  }

  contrast() {
    this.partners = this.comparing ? matchLabels(this.names(), this.before.names) : null;
  }

  tellDifference() {
    return tellNewAndGone(this.names(), this.before.names, this.partners ?? []).replace("No piece is new, none is gone.", "The same passages.");
  }

  draw() {
    if (!this.ready) return;
    const { entries, empty } = this.meta;
    while (this.list.children.length > entries.length) this.list.lastChild?.remove();
    while (this.list.children.length < entries.length) this.list.append(this.makeItem(this.list.children.length));
    entries.forEach((entry, i) => this.drawItem(/** @type {HTMLElement} */ (this.list.children[i]), entry, i));
    this.list.hidden = !entries.length;
    this.empty.hidden = !empty;
    setText(this.empty, empty);
    this.mark();
  }

  /**
   * @param {number} place
   */
  makeItem(place) {
    return make("div", { role: "option", id: partId(this.id, place), "aria-selected": "false" },
      make("div", {}, make("b"), make("span", { class: "is-bar", "aria-hidden": "true" }), make("span", { class: "is-score" }), make("span", { class: "is-note" })),
      make("div", { class: "is-text" }));
  }

  /**
   * @param {HTMLElement} item
   * @param {Entry} entry
   * @param {number} i
   */
  drawItem(item, { title, parts, score, note }, i) {
    const [head, text] = [...item.children];
    const [name, , number, elsewhere] = [...head.children];
    setText(name, `${i + 1}. ${title}`);
    setText(number, `${this.spec.score} ${formatNumber(score, 2)}${this.change(i, score)}`);
    setText(elsewhere, note);
    item.style.setProperty("--share", clamp(score, 0, 1).toFixed(3));
    const written = JSON.stringify(parts);
    if (item.dataset.written === written) return;
    item.dataset.written = written;
    text.replaceChildren(...parts.map((part, k) => (k % 2 ? make("mark", {}, part) : part)));
  }

  /**
   * What has changed of a passage since the ranking was kept, in brackets.
   * @param {number} i
   * @param {number} score
   */
  change(i, score) {
    if (!this.partners) return "";
    const partner = this.partners[i];
    if (partner < 0) return " (new)";
    const moved = partner === i ? "" : `, was no. ${partner + 1}`;
    return ` (${shortSigned(Number((score - this.before.scores[partner]).toFixed(2)))}${moved})`;
  }

  /** Mark the chosen passage where it is in this ranking. */
  mark() {
    const at = this.at;
    [...this.list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === at)));
    if (at < 0) this.list.removeAttribute("aria-activedescendant");
    else this.list.setAttribute("aria-activedescendant", partId(this.id, at));
  }

  table() {
    const rows = this.meta.entries.map(({ title, parts, score, note }, i) =>
      [`${i + 1}. ${title}`, formatNumber(score, 3), note, parts.filter((_, k) => k % 2).join(", ")]);
    return numberTable(this.spec.label, ["passage", this.spec.score, "in the other ranking", "words of the question"], rows);
  }
}
