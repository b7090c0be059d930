/** Numbers in a real table. */

import { matchLabels, tellNewAndGone, withDifference, withoutAmounts } from "./differences.js";
import { headRow, keepKeys, make, setText } from "./dom.js";
import { Panel } from "./panel.js";
import { clamp, formatNumber, sameValue } from "./text.js";

/**
 * A table that is a panel: it needs no other behind it. One column may carry a bar. Buffer: `numbers`
 * (float32, row after row).
 *
 * @extends {Panel<Labs.TableSpec, Labs.TableMeta>}
 */
export class TablePanel extends Panel {
  /**
   * @param {Labs.TableSpec} spec
   * @param {Labs.Host} lab
   */
  constructor(spec, lab) {
    super(spec, lab);
    this.numbers = new Float32Array(0);
    /** @type {number | undefined} */
    this.revealed = undefined;
    /** @type {number[] | null} */
    this.partners = null; // for each row, the kept row that it is compared with
    this.head = make("thead");
    this.body = make("tbody");
    this.foot = make("tfoot");
    this.scroller = keepKeys(make("div", {
      class: "course-lab-scroller", tabindex: "0", role: "region", "aria-labelledby": this.caption.id,
    }, make("table", {}, this.head, this.body, this.foot)));
    this.node.classList.toggle("has-wide-labels", Boolean(spec.wide_labels));
    this.node.classList.toggle("is-roomy", Boolean(spec.roomy));
    this.node.append(this.scroller, ...(this.help ? [this.help] : []));
    this.body.addEventListener("pointerover", (event) => this.hover(/** @type {Element} */ (event.target).closest("tr")));
    this.body.addEventListener("pointerleave", () => this.hover(null));
    this.body.addEventListener("click", (event) => {
      const row = /** @type {Element} */ (event.target).closest("tr");
      const name = spec.takes ?? spec.chooses;
      if (row && name) this.lab.change({ [name]: row.sectionRowIndex });
    });
    if (spec.takes) this.scroller.addEventListener("keydown", (event) => this.onKey(event));
  }

  /**
   * Arrow keys choose a row, Enter and space take it.
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    const { chooses, takes } = this.spec;
    const { chosen = 0 } = this.meta;
    const last = this.lab.words(this.meta.row_labels).length - 1;
    /** @type {Record<string, number | undefined>} */
    const leads = { ArrowUp: chosen - 1, ArrowDown: chosen + 1, Home: 0, End: last };
    const lead = leads[event.key];
    if (lead !== undefined && chooses) this.lab.change({ [chooses]: clamp(lead, 0, last) });
    else if (takes && (event.key === "Enter" || event.key === " ")) this.lab.change({ [takes]: chosen });
    else return;
    event.preventDefault();
  }

  /**
   * @param {Labs.TableMeta} meta
   * @param {Record<string, ArrayBuffer>} data
   */
  read(meta, data) {
    this.numbers = withProducts(new Float32Array(data.numbers), meta.columns);
  }

  /**
   * Let the other panels show the row under the pointer.
   * @param {HTMLTableRowElement | null} row
   */
  hover(row) {
    this.lab.point(row && this.spec.chooses ? { [this.spec.chooses]: row.sectionRowIndex } : null, this);
  }

  /**
   * @param {Record<string, number> | null} at
   */
  point(at) {
    const row = this.spec.chooses === undefined ? undefined : at?.[this.spec.chooses];
    [...this.body.rows].forEach((each, i) => each.classList.toggle("is-pointed", i === row));
  }

  /** All rows' labels, those of the foot last. */
  labels() {
    return [...this.lab.words(this.meta.row_labels), ...this.meta.foot_labels];
  }

  heads() {
    return withoutAmounts(this.meta.columns.map(({ label }) => label));
  }

  snapshot() {
    return { labels: this.labels(), heads: this.heads(), numbers: this.numbers };
  }

  /**
   * Rows are compared by their labels; only where they are `ranked` may some be new.
   * @param {ReturnType<TablePanel["snapshot"]>} before
   */
  unlike({ labels, heads }) {
    if (!sameValue(heads, this.heads())) return "its columns are others now";
    const now = this.labels();
    if (this.spec.ranked || sameValue([...now].sort(), [...labels].sort())) return "";
    return now.length === labels.length ? "its rows are others now" : `${now.length} rows now, ${labels.length} then`;
  }

  contrast() {
    this.partners = this.comparing ? matchLabels(this.labels(), this.before.labels) : null;
  }

  tellDifference() {
    const told = "In brackets: the difference from what was kept.";
    return this.spec.ranked ? `${told} ${tellNewAndGone(this.labels(), this.before.labels, this.partners ?? []).replace("piece", "row")}` : told;
  }

  showTable() {}

  draw() {
    if (!this.ready) return;
    const { columns, foot_labels: foot, chosen, greyed = [] } = this.meta;
    const rows = this.lab.words(this.meta.row_labels);
    const width = columns.length;
    this.fillHead(["", ...columns.map((column) => column.label)]);
    this.fill(this.body, rows.length, width);
    this.fill(this.foot, foot.length, width);
    [...rows, ...foot].forEach((label, i) => {
      const row = i < rows.length ? this.body.rows[i] : this.foot.rows[i - rows.length];
      row.classList.toggle("is-chosen", i === chosen);
      row.classList.toggle("is-greyed", greyed.includes(i));
      setText(row.cells[0], label);
      columns.forEach((column, c) => this.fillCell(row.cells[c + 1], column, i, c, i < rows.length));
    });
    this.reveal(chosen);
  }

  /**
   * @param {string[]} labels
   */
  fillHead(labels) {
    const cells = this.head.rows[0]?.cells ?? [];
    if (cells.length === labels.length) labels.forEach((label, i) => setText(cells[i], label));
    else this.head.replaceChildren(headRow(labels));
  }

  /**
   * @param {HTMLTableCellElement} cell
   * @param {Labs.Column} column
   * @param {number} i
   * @param {number} c
   * @param {boolean} withBar
   */
  fillCell(cell, column, i, c, withBar) {
    const width = this.meta.columns.length;
    const value = this.numbers[i * width + c];
    const partner = this.partners?.[i];
    const before = partner === undefined || partner < 0 ? undefined : this.before.numbers[partner * width + c];
    if (partner !== undefined) setText(cell, withDifference(value, before, column.digits ?? 2));
    else setText(cell, Number.isNaN(value) ? "" : formatNumber(value, column.digits ?? 2));
    if (!column.bar) return;
    const share = withBar && value > 0 ? Math.min(value / column.bar, 1) : 0;
    cell.style.setProperty("--share", share.toFixed(3));
    cell.className = "has-bar";
  }

  /**
   * Bring a section to so many rows of so many numbers, reusing what is there.
   * @param {HTMLTableSectionElement} section
   * @param {number} count
   * @param {number} width
   */
  fill(section, count, width) {
    while (section.rows.length > count) section.deleteRow(-1);
    while (section.rows.length < count) section.insertRow().append(make("th", { scope: "row" }));
    for (const row of section.rows) {
      while (row.cells.length > width + 1) row.deleteCell(-1);
      while (row.cells.length < width + 1) row.insertCell();
    }
  }

  /**
   * Scroll inside of the panel only: the page must not jump under the learner.
   * @param {number | undefined} index
   */
  reveal(index) {
    if (index === this.revealed || index === undefined || index < 0) return;
    this.revealed = index;
    const row = this.body.rows[index];
    if (!row) return;
    const box = this.scroller;
    if (box.scrollHeight <= box.clientHeight) return;
    const room = box.clientHeight - this.head.offsetHeight - this.foot.offsetHeight;
    const at = row.offsetTop - this.head.offsetHeight;
    if (at < box.scrollTop) box.scrollTop = at;
    else if (at + row.offsetHeight > box.scrollTop + room) box.scrollTop = at + row.offsetHeight - room;
  }
}

/**
 * Fill in the columns that are the one before times a number.
 * @param {Float32Array} numbers - without those columns
 * @param {Labs.Column[]} columns
 */
export function withProducts(numbers, columns) {
  const sent = columns.filter(({ times }) => times === undefined).length;
  if (sent === columns.length) return numbers;
  const all = new Float32Array((numbers.length / sent) * columns.length);
  for (let at = 0, from = 0; at < all.length; at++) {
    const { times } = columns[at % columns.length];
    all[at] = times === undefined ? numbers[from++] : all[at - 1] * times;
  }
  return all;
}
