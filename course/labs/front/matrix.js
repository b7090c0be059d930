/** One large matrix with its tokens. */

import { CODES, decode, fromBase64, numberAt, packBlocked, readCodes, toBase64, unpackBlocked } from "./codes.js";
import { bothNumbers, decodeAll, differenceCodes, formatSigned, roundingOf, subtract, tellDifference, turned, TURNED, unlikeLabels, withDifference } from "./differences.js";
import { numberTable, setFont } from "./dom.js";
import { CanvasPanel } from "./panel.js";
import { cross, line, ring } from "./strokes.js";
import { clamp, fillIn, formatNumber } from "./text.js";

/**
 * A matrix of which a cell is chosen, and blocked ones can be painted. Buffer: `cells` (codes of
 * meta.bits).
 *
 * @extends {CanvasPanel<Labs.MatrixSpec, Labs.MatrixMeta>}
 */
export class MatrixPanel extends CanvasPanel {
  /**
   * @param {Labs.MatrixSpec} spec
   * @param {Labs.Host} lab
   */
  constructor(spec, lab) {
    super(spec, lab);
    /** @type {Uint8Array | Uint16Array} */
    this.codes = new Uint8Array(0);
    /** @type {import("./differences.js").Difference | null} */
    this.difference = null; // from what was kept
    /** @type {boolean | null} */
    this.brush = null; // whether a drag blocks or frees
    /** @type {Labs.Cell} */
    this.last = [0, 0]; // where a drag was last
    this.measured = ""; // the labels whose widths are known
    this.widths = [0, 0];
    // Where the cells begin, how large one is and the whole picture, in CSS pixels.
    this.left = this.top = this.wide = this.high = this.width = this.height = 0;
  }

  /**
   * @param {Labs.MatrixMeta} meta
   * @param {Record<string, ArrayBuffer>} data
   */
  read(meta, data) {
    const [rows, columns] = this.shape();
    this.codes = readCodes(data.cells, meta.bits, rows * columns);
    this.keepPaint(rows * columns, CODES[meta.bits].blocked);
  }

  /** The numbers of now, row after row; NaN where blocked. */
  numbers() {
    const [rows, columns] = this.shape();
    return decodeAll(this.codes, rows * columns, this.meta.bits, this.meta);
  }

  snapshot() {
    const { scale, limit, bits } = this.meta;
    return { rows: [...this.rowLabels], columns: [...this.columnLabels], numbers: this.numbers(), coding: { scale, limit }, bits };
  }

  /**
   * @param {ReturnType<MatrixPanel["snapshot"]>} before
   */
  unlike({ rows, columns }) {
    return unlikeLabels("rows", this.rowLabels, rows) || unlikeLabels("columns", this.columnLabels, columns);
  }

  /** Colour the cells: by their numbers, or by how they differ from what was kept. */
  contrast() {
    if (!this.ready) return;
    const [rows, columns] = this.shape();
    this.difference = this.comparing ? subtract(this.numbers(), this.before.numbers, this.rounding()) : null;
    const [codes, { scale }] = [this.difference && differenceCodes(this.difference.values, this.difference.limit), this.coding];
    this.pixels.resize(columns, rows);
    this.pixels.put(codes ?? this.codes, 0, columns, rows, 0, 0, codes ? 8 : this.meta.bits, this.lab.scales[scale]);
    const any = this.difference && this.difference.blocked + this.difference.freed;
    for (let i = 0; any && i < rows * columns; i++) if (this.turned(i)) this.pixels.words[i] = TURNED;
    this.pixels.flush();
  }

  rounding() {
    return roundingOf(Math.min(this.meta.bits, this.before.bits) === 16 ? 16 : 8, this.meta, this.before.coding);
  }

  tellDifference() {
    return this.difference ? tellDifference(this.difference) : "";
  }

  /**
   * Whether a cell is blocked in one state alone, and in which.
   * @param {number} i
   */
  turned(i) {
    return turned(decode(this.codes[i], this.meta.bits, this.meta), this.before.numbers[i]);
  }

  /** What the colours stand for. @returns {Labs.Coding} */
  get coding() {
    return this.difference ? { scale: "signed", limit: this.difference.limit } : this.meta;
  }

  /**
   * A picture that was on its way does not wipe off what was painted meanwhile.
   * @param {number} count
   * @param {number} blocked
   */
  keepPaint(count, blocked) {
    const name = this.spec.paints?.name;
    if (!name || !this.lab.isMoving(name)) return;
    const { length, bits } = this.lab.values[name];
    if (length !== this.rowLabels.length) return; // painted on another text
    unpackBlocked(this.codes, count, blocked, fromBase64(bits));
  }

  /**
   * @param {Record<string, number> | null} at
   */
  point(at) {
    this.pointTo(at);
  }

  /** @returns {Labs.Cell} */
  shape() {
    return [this.rowLabels.length, this.columnLabels.length];
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  code(row, column) {
    return this.codes[row * this.columnLabels.length + column];
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  isBlocked(row, column) {
    return this.code(row, column) === CODES[this.meta.bits].blocked;
  }

  layout() {
    const [rows, columns] = this.shape();
    const context = this.context;
    setFont(context, "12px system-ui, sans-serif");
    const widest = (/** @type {string[]} */ labels) => Math.ceil(Math.max(0, ...labels.map((label) => context.measureText(label).width)));
    const key = this.rowLabels.join("\n") + "\t" + this.columnLabels.join("\n");
    if (key !== this.measured) {
      this.widths = [widest(this.rowLabels), widest(this.columnLabels)];
      this.measured = key;
    }
    const left = clamp(this.widths[0], 8, 110) + 8;
    const top = clamp(this.widths[1], 8, 80) + 8;
    const room = (this.room - left - 4) / columns;
    const wide = clamp(room >= 5 ? Math.floor(room) : room, 2.5, this.spec.widest ?? 40);
    const high = this.spec.row_height ?? wide;
    Object.assign(this, { left, top, wide, high, width: left + columns * wide + 4, height: top + rows * high + 4 });
  }

  draw() {
    if (!this.ready) return;
    this.layout();
    const touch = this.paints ? "none" : "pan-y";
    if (this.canvas.style.touchAction !== touch) this.canvas.style.touchAction = touch;
    const [rows, columns] = this.shape();
    const { left, top, wide, high, context, meta } = this;
    const legend = this.spec.legend ? 34 : 0;
    /** @type {[number, number, number, number]} */
    const area = [left - 4, top - 4, columns * wide + 8, rows * high + 8]; // with the chosen row's frame
    this.drawAround([this.measured, meta.chosen, legend, this.coding.scale, this.coding.limit], area, () => {
      this.size(Math.max(this.width, legend ? left + 140 : 0), this.height + legend);
      this.drawLabels();
      if (legend) this.drawLegend(this.height + 6);
    });
    context.drawImage(this.pixels.canvas, 0, 0, columns, rows, left, top, columns * wide, rows * high);
    if (Math.min(wide, high) >= 6) this.hatch(rows, columns);
    if (wide >= 28 && high >= 14 && this.spec.digits) this.drawNumbers(rows, columns);
    if (this.spec.sum) this.drawSumLine(rows, columns);
    this.drawChosen(rows, columns);
    if (this.pointed) this.drawPointed(rows, columns, ...this.pointed);
    this.describeCanvas(this.describe(...meta.chosen));
  }

  /**
   * A line above the last row, which is the sum of those above it.
   * @param {number} rows
   * @param {number} columns
   */
  drawSumLine(rows, columns) {
    this.context.fillStyle = this.lab.ink;
    this.context.fillRect(this.left - 8, this.top + (rows - 1) * this.high - 1, columns * this.wide + 10, 2);
  }

  /**
   * @param {number} rows
   * @param {number} columns
   */
  hatch(rows, columns) {
    const { left, top, wide, high, context } = this;
    context.beginPath();
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const mark = this.difference && this.turned(row * columns + column);
        const [x, y] = [left + (column + 0.5) * wide, top + (row + 0.5) * high];
        if (mark) (mark === "blocked" ? cross : ring)(context, x, y, Math.min(wide, high) / 2 - 1.5);
        else if (this.isBlocked(row, column)) line(context, x - wide / 2 + 1, y + high / 2 - 1, x + wide / 2 - 1, y - high / 2 + 1);
      }
    }
    context.lineWidth = 1;
    context.globalAlpha = 0.45;
    context.strokeStyle = this.lab.ink;
    context.stroke();
    context.globalAlpha = 1;
  }

  /**
   * @param {number} rows
   * @param {number} columns
   */
  drawNumbers(rows, columns) {
    const { left, top, wide, high, context, meta } = this;
    const { difference } = this;
    const half = CODES[meta.bits].top / 2;
    setFont(context, "11px system-ui, sans-serif");
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        if (this.isBlocked(row, column)) continue;
        const code = this.code(row, column);
        const change = difference?.values[row * columns + column];
        if (Number.isNaN(change)) continue; // its mark stands there
        const dark = difference ? Math.abs(change ?? 0) > 0.6 * difference.limit : meta.scale === "signed" ? Math.abs(code - half) > 0.6 * half : code < 1.1 * half;
        context.fillStyle = dark && difference?.limit !== 0 ? "#ffffff" : "#000000";
        const text = change === undefined ? formatNumber(decode(code, meta.bits, meta), this.spec.digits) : formatSigned(change, this.spec.digits);
        context.fillText(text.replace(/^([+−]?)0\./, "$1."), left + (column + 0.5) * wide, top + (row + 0.5) * high);
      }
    }
  }

  /** Tokens beside rows and above columns; where cells are thin, only the chosen ones. */
  drawLabels() {
    const { left, top, wide, high, context, meta } = this;
    context.textBaseline = "middle";
    context.fillStyle = this.lab.ink;
    context.textAlign = "right";
    this.writeLabels(this.rowLabels, high, meta.chosen[0], (label, row) => {
      context.fillText(label, left - 5, top + (row + 0.5) * high, left - 6);
    });
    context.save();
    context.translate(left, top - 5);
    context.rotate(-Math.PI / 2); // x runs up the page now, and y to the right
    context.textAlign = "left";
    this.writeLabels(this.columnLabels, wide, meta.chosen[1], (label, column) => {
      context.fillText(label, 0, (column + 0.5) * wide, top - 6);
    });
    context.restore();
  }

  /**
   * @param {string[]} labels
   * @param {number} pitch
   * @param {number} chosen
   * @param {(label: string, i: number) => void} write
   */
  writeLabels(labels, pitch, chosen, write) {
    const font = `${clamp(pitch - 1, 9, 12)}px system-ui, sans-serif`;
    setFont(this.context, font);
    if (pitch >= 9) labels.forEach((label, i) => label && i !== chosen && write(label, i));
    setFont(this.context, `bold ${font}`);
    if (labels[chosen]) write(labels[chosen], chosen);
  }

  /**
   * @param {number} rows
   * @param {number} columns
   */
  drawChosen(rows, columns) {
    const { left, top, wide, high, context } = this;
    const [row, column] = this.meta.chosen;
    context.lineWidth = 1;
    context.strokeStyle = "#101010";
    context.strokeRect(left - 1.5, top + row * high - 1.5, columns * wide + 3, high + 3);
    context.strokeStyle = "#ffffff";
    context.strokeRect(left - 0.5, top + row * high - 0.5, columns * wide + 1, high + 1);
    this.frame(left + column * wide, top + row * high, wide, high);
  }

  /**
   * The cell, row (-1 for its column) or column that is pointed at elsewhere.
   * @param {number} rows
   * @param {number} columns
   * @param {number} row
   * @param {number} column
   */
  drawPointed(rows, columns, row, column) {
    const { left, top, wide, high } = this;
    const [x, width] = column < 0 ? [left, columns * wide] : [left + column * wide, wide];
    const [y, height] = row < 0 ? [top, rows * high] : [top + row * high, high];
    this.frame(x, y, width, height, 1);
  }

  /**
   * The scale: the colour of a number, with a few numbers under it.
   * @param {number} y
   */
  drawLegend(y) {
    const { left, context, coding } = this;
    const width = clamp(this.width - left - 8, 120, 260);
    context.drawImage(this.lab.legend(coding.scale), left, y, width, 9);
    context.fillStyle = this.lab.ink;
    setFont(context, "11px system-ui, sans-serif");
    context.textBaseline = "top";
    // Five numbers of up to seven characters need 180 pixels; fewer leave room for three.
    const marks = coding.scale === "signed" || width < 180 ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1];
    marks.forEach((share, i) => {
      context.textAlign = i === 0 ? "left" : i === marks.length - 1 ? "right" : "center";
      context.fillText(formatNumber(numberAt(share, coding)), left + share * width, y + 12);
    });
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {Labs.Cell | null}
   */
  cellAt(x, y) {
    const [rows, columns] = this.shape();
    const [column, row] = [(x - this.left) / this.wide, (y - this.top) / this.high].map(Math.floor);
    return row >= 0 && column >= 0 && row < rows && column < columns ? [row, column] : null;
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  describe(row, column) {
    const { bits } = this.meta;
    const { first = 0 } = this.spec;
    const words = { i: first + row, row: this.rowLabels[row], j: first + column, column: this.columnLabels[column] };
    const [now, digits] = [decode(this.code(row, column), bits, this.meta), bits === 16 ? 3 : 2];
    const at = row * this.columnLabels.length + column;
    const before = this.comparing ? this.before.numbers[at] : undefined;
    if (Number.isNaN(now) && before === undefined) return fillIn(this.spec.tells, { ...words, value: "blocked" });
    const value = before === undefined ? formatNumber(now, digits) : bothNumbers(now, before, digits, this.difference?.values[at]);
    return fillIn(this.spec.tells, { ...words, value: bits === 16 || Number.isNaN(now) ? value : `about ${value}` });
  }

  // Painting. The brush is set by the first cell: it blocks, or it frees.

  get paints() {
    const { paints } = this.spec;
    return paints !== undefined && this.lab.values[paints.when[0]] === paints.when[1];
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  onPress(row, column) {
    this.last = [row, column];
    if (this.paints) {
      this.brush = !this.isBlocked(row, column);
      this.paint([[row, column]], this.brush);
    }
    this.choose(row, column);
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  onDrag(row, column) {
    if (this.brush !== null) this.paint(cellsBetween(...this.last, row, column), this.brush);
    this.last = [row, column];
    this.choose(row, column);
  }

  onRelease() {
    this.brush = null;
  }

  /**
   * Space blocks or frees the chosen cell; with shift, the key's whole column.
   * @param {number} row
   * @param {number} column
   * @param {boolean} wholeColumn
   */
  act(row, column, wholeColumn) {
    if (!this.spec.paints) return;
    const [rows] = this.shape();
    /** @type {Labs.Cell[]} */
    const cells = wholeColumn ? [...Array(rows).keys()].map((r) => [r, column]) : [[row, column]];
    this.paint(cells, !this.isBlocked(row, column));
  }

  /**
   * Paint on what is blocked now, so that painting can start from any other mask.
   * @param {Labs.Cell[]} cells
   * @param {boolean} block
   */
  paint(cells, block) {
    if (!this.spec.paints) return;
    const [rows, columns] = this.shape();
    const { blocked } = CODES[this.meta.bits];
    for (const [row, column] of cells) {
      const at = row * columns + column;
      if (this.isBlocked(row, column) === block) continue;
      this.codes[at] = block ? blocked : 0;
    }
    this.contrast();
    this.draw();
    const bits = packBlocked(this.codes, rows * columns, blocked);
    const { name, when } = this.spec.paints;
    this.lab.change({ [when[0]]: when[1], [name]: { length: rows, bits: toBase64(bits) } });
  }

  table() {
    const [rows, columns, { bits }] = [this.rowLabels, this.columnLabels, this.meta];
    const cell = (/** @type {number} */ row, /** @type {number} */ column) => {
      const value = decode(this.code(row, column), bits, this.meta);
      const before = this.comparing ? this.before.numbers[row * columns.length + column] : undefined;
      if (before === undefined || (Number.isNaN(before) && Number.isNaN(value))) return formatNumber(value, 2);
      return Number.isNaN(before) ? `${formatNumber(value, 2)} (was –)` : Number.isNaN(value) ? `– (was ${formatNumber(before, 2)})` : withDifference(value, before);
    };
    const body = rows.map((label, row) => [label, ...columns.map((_, column) => cell(row, column))]);
    return numberTable(`${this.spec.label}; – is blocked`, [this.spec.corner, ...columns], body);
  }
}

/**
 * The cells on the straight line between two: a fast drag leaves no holes.
 * @param {number} row
 * @param {number} column
 * @param {number} toRow
 * @param {number} toColumn
 * @returns {Labs.Cell[]}
 */
export function cellsBetween(row, column, toRow, toColumn) {
  const steps = Math.max(Math.abs(toRow - row), Math.abs(toColumn - column), 1);
  return [...Array(steps + 1).keys()].map((i) => [
    Math.round(row + ((toRow - row) * i) / steps),
    Math.round(column + ((toColumn - column) * i) / steps),
  ]);
}
