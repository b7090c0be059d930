/** A small image that is drawn with mouse, finger or keys. */

import { make, numberTable, partId } from "./dom.js";
import { hatchSquare, ImagePanel } from "./image.js";
import { BRUSH, DARKEST, inkChange, patchAt, stroke } from "./ink.js";
import { CanvasPanel, STEPS } from "./panel.js";
import { line } from "./strokes.js";
import { formatNumber } from "./text.js";

/**
 * A drawing surface. Strokes are seen at once and sent as the list of all levels, under the name that
 * `sends` says. Assistive technology reads a grid: its cells are elements inside of the canvas.
 *
 * @extends {ImagePanel<Labs.SketchSpec>}
 */
export class SketchPanel extends ImagePanel {
  /**
   * @param {Labs.SketchSpec} spec
   * @param {Labs.Host} lab
   */
  constructor(spec, lab) {
    super(spec, lab);
    /** @type {import("./ink.js").Point | null} */
    this.pen = null; // where a stroke is now
    /** @type {HTMLElement[]} */
    this.cells = [];
    this.canvas.setAttribute("role", "grid");
    this.canvas.removeAttribute("aria-roledescription");
    this.canvas.style.touchAction = "none"; // a finger draws
  }

  /**
   * What was drawn meanwhile stays.
   * @param {Labs.ImageMeta} meta
   * @param {Record<string, ArrayBuffer>} data
   */
  read(meta, data) {
    const { sends } = this.spec;
    this.levels = this.lab.isMoving(sends) ? Uint8Array.from(this.lab.values[sends]) : new Uint8Array(data.ink);
    if (this.cells.length !== this.levels.length) this.makeCells(meta.side);
  }

  /**
   * The grid that is read aloud.
   * @param {number} side
   */
  makeCells(side) {
    const cell = (/** @type {number} */ i) => make("span", { role: "gridcell", id: partId(this.id, i) });
    const rows = [...Array(side).keys()].map((row) => make("div", { role: "row" }, ...[...Array(side).keys()].map((column) => cell(row * side + column))));
    this.canvas.replaceChildren(...rows);
    this.cells = rows.flatMap((row) => /** @type {HTMLElement[]} */ ([...row.children]));
  }

  snapshot() {
    return { levels: this.levels };
  }

  unlike() {
    return "";
  }

  contrast() {}

  tellDifference() {
    const { added, removed } = inkChange(this.levels, this.before.levels);
    if (!added && !removed) return "Nothing differs.";
    return `Ink added (+): ${formatNumber(added, 1)} pixels; removed (−): ${formatNumber(removed, 1)}. A pixel counts by its grey.`;
  }

  /** @returns {Labs.Cell} */
  shape() {
    return [this.meta.side, this.meta.side];
  }

  /**
   * The cursor is this view's own.
   * @param {Labs.Cell} mine
   * @param {Labs.Cell} _theirs
   */
  kept(mine, _theirs) {
    return mine;
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {Labs.Cell | null}
   */
  cellAt(x, y) {
    const [row, column] = [y / this.cell, x / this.cell].map(Math.floor);
    return row >= 0 && column >= 0 && row < this.meta.side && column < this.meta.side ? [row, column] : null;
  }

  /**
   * @param {Labs.Cell} cell
   */
  patchOf([row, column]) {
    return patchAt(row, column, this.meta.patch, this.meta.side);
  }

  /**
   * @param {string} key
   * @returns {Labs.Cell | null}
   */
  target(key) {
    return CanvasPanel.prototype.target.call(this, key);
  }

  /**
   * Move the cursor; Python needs not know.
   * @param {number} row
   * @param {number} column
   */
  choose(row, column) {
    this.meta.chosen = [row, column];
    this.lab.point(this.pointedAt([row, column]), this);
    this.draw();
  }

  // Drawing

  get tool() {
    return this.lab.values.tool ?? BRUSH;
  }

  /**
   * Arrow keys lead on, with shift they draw; space and Enter draw, Delete erases, a digit sets the grey.
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    if (!this.ready || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    const [row, column] = this.meta.chosen;
    const target = this.target(key);
    if (target) {
      if (event.shiftKey && STEPS[key]) this.strokeTo(middle(row, column), middle(...target));
      this.choose(...target);
    } else if (key === " " || key === "Enter") this.strokeTo(middle(row, column), middle(row, column));
    else if (key === "Delete" || key === "Backspace") this.setCell(row, column, 0);
    else if (/^[0-9]$/.test(key)) this.setCell(row, column, Math.round((Number(key) * DARKEST) / 9));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * @param {PointerEvent} event
   * @param {boolean} pressed
   */
  onPointer(event, pressed) {
    if (!this.ready) return;
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const cell = this.cellAt(x, y);
    if (pressed && event.button === 0 && cell) {
      this.canvas.focus({ preventScroll: true });
      this.canvas.setPointerCapture(event.pointerId); // a drag that ends outside ends here too
      this.pen = [x / this.cell, y / this.cell];
      event.preventDefault();
    } else if (!this.pen || !(event.buttons & 1)) {
      this.pen = null;
      this.hover(cell);
      return;
    }
    /** @type {import("./ink.js").Point} */
    const to = [x / this.cell, y / this.cell];
    if (cell) this.meta.chosen = cell;
    this.strokeTo(this.pen, to);
    this.pen = to;
    if (cell) this.hover(cell);
  }

  onRelease() {
    this.pen = null;
  }

  /**
   * @param {import("./ink.js").Point} from
   * @param {import("./ink.js").Point} to
   */
  strokeTo(from, to) {
    const { tool, lab } = this;
    this.put(stroke(this.levels, this.meta.side, from, to, tool, lab.values.level ?? DARKEST));
  }

  /**
   * @param {number} row
   * @param {number} column
   * @param {number} level
   */
  setCell(row, column, level) {
    const next = Uint8Array.from(this.levels);
    next[row * this.meta.side + column] = level;
    this.put(next);
  }

  /**
   * Show a drawing at once, and send it.
   * @param {Uint8Array} levels
   */
  put(levels) {
    const changed = levels.some((level, i) => level !== this.levels[i]);
    this.levels = levels;
    this.draw();
    if (changed) this.lab.change({ [this.spec.sends]: [...levels] });
  }

  // The picture

  draw() {
    if (!this.ready) return;
    this.layout();
    const { side } = this.meta;
    for (let i = 0; i < this.levels.length; i++) this.drawPixel(Math.floor(i / side), i % side);
    for (const each of this.occluded) this.markOccluded(each);
    this.drawBorders();
    if (this.comparing) this.markChanges();
    if (this.lit >= 0 && this.lit < this.across ** 2) this.framePatch(this.lit, 1);
    const [row, column] = this.meta.chosen;
    this.frame(column * this.cell + 2, row * this.cell + 2, this.cell - 4, this.cell - 4);
    this.lab.afterCanvases(() => this.tellCells());
  }

  /**
   * An occluded patch stays to be drawn on: its corner is hatched.
   * @param {number} patch
   */
  markOccluded(patch) {
    const [x, y, wide] = this.boxOf(patch);
    hatchSquare(this.context, x, y, wide, false);
  }

  /** A plus where ink was added to what was kept, a minus where it went. */
  markChanges() {
    const { context, cell } = this;
    const { side } = this.meta;
    const r = cell / 6;
    for (let i = 0; i < this.levels.length; i++) {
      const change = this.levels[i] - this.before.levels[i];
      if (!change) continue;
      const [x, y] = [((i % side) + 0.5) * cell, (Math.floor(i / side) + 0.5) * cell];
      context.beginPath();
      line(context, x - r, y, x + r, y);
      if (change > 0) line(context, x, y - r, x, y + r);
      context.lineWidth = 2.5;
      context.strokeStyle = this.levels[i] > DARKEST / 2 ? "#ffb45e" : "#0b4d9c";
      context.stroke();
    }
  }

  /** Name each cell whose words changed, and lead the reader to the chosen one. */
  tellCells() {
    const { side } = this.meta;
    this.cells.forEach((node, i) => {
      const words = this.describe(Math.floor(i / side), i % side);
      if (node.getAttribute("aria-label") !== words) node.setAttribute("aria-label", words);
    });
    const [row, column] = this.meta.chosen;
    this.canvas.setAttribute("aria-activedescendant", partId(this.id, row * side + column));
    this.say();
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  describe(row, column) {
    const [level, patch] = [this.levels[row * this.meta.side + column], this.patchOf([row, column])];
    return `row ${row}, column ${column}, patch ${patch}: ink ${level} of ${DARKEST}${this.occluded.includes(patch) ? "; occluded" : ""}`;
  }

  table() {
    const places = [...Array(this.meta.side).keys()];
    const body = places.map((row) => [`row ${row}`, ...places.map((column) => String(this.levels[row * this.meta.side + column]))]);
    return numberTable(`${this.spec.label}; ink from 0 to ${DARKEST}`, ["", ...places.map(String)], body);
  }
}

/**
 * The middle of a cell.
 * @param {number} row
 * @param {number} column
 * @returns {import("./ink.js").Point}
 */
function middle(row, column) {
  return [column + 0.5, row + 0.5];
}
