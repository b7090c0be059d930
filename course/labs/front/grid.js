/** Many small matrices in rows and columns: every layer and head. */

import { readCodes } from "./codes.js";
import { bothNumbers, decodeAll, differenceCodes, subtract, tellDifference, turned, TURNED, withDifference } from "./differences.js";
import { numberTable, setFont } from "./dom.js";
import { CanvasPanel } from "./panel.js";
import { clamp, fillIn, formatNumber, sameValue } from "./text.js";

/** The pictures' numbers are weights, from 0 to 1. */
const WEIGHTS = { scale: "weights", limit: 1 };

/**
 * Small matrices, one of them chosen. Buffers: `pictures` (4-bit codes) and `numbers` (float32, one
 * for each).
 *
 * @extends {CanvasPanel<Labs.GridSpec, Labs.GridMeta>}
 */
export class GridPanel extends CanvasPanel {
  /**
   * @param {Labs.GridSpec} spec
   * @param {Labs.Host} lab
   */
  constructor(spec, lab) {
    super(spec, lab);
    this.numbers = new Float32Array(0);
    this.codes = new Uint8Array(0); // of all pictures, one after the other
    /** @type {import("./differences.js").Difference | null} */
    this.difference = null; // from what was kept
    this.margin = 22;
    this.pitch = 14; // from picture to picture, in CSS pixels
  }

  /**
   * @param {Labs.GridMeta} meta
   * @param {Record<string, ArrayBuffer>} data
   */
  read(meta, data) {
    const count = meta.side * meta.side;
    const stride = (count + 1) >> 1; // two codes a byte
    const bytes = data.pictures;
    this.numbers = new Float32Array(data.numbers);
    this.codes = new Uint8Array(meta.rows * meta.columns * count);
    for (let i = 0; i < meta.rows * meta.columns; i++) {
      this.codes.set(readCodes(bytes.slice(i * stride, (i + 1) * stride), 4, count), i * count);
    }
  }

  snapshot() {
    const { meta, numbers, codes } = this;
    return { meta, numbers, values: decodeAll(codes, codes.length, 4, WEIGHTS), labels: { ...this.lab.labels } };
  }

  /**
   * The pictures have no labels of their own, so the lab's must be the same.
   * @param {ReturnType<GridPanel["snapshot"]>} before
   */
  unlike({ meta, labels }) {
    const size = (/** @type {Labs.GridMeta} */ { rows, columns }) => `${rows} times ${columns}`;
    if (size(meta) !== size(this.meta)) return `there are ${size(this.meta)} pictures now, ${size(meta)} then`;
    if (!sameValue(labels, this.lab.labels)) return "its tokens are others now";
    return meta.side === this.meta.side ? "" : "its pictures are drawn more or less finely now";
  }

  /** Colour the pictures: by their numbers, or by how they differ from what was kept. */
  contrast() {
    if (!this.ready) return;
    const { rows, columns, side } = this.meta;
    const values = this.comparing ? decodeAll(this.codes, this.codes.length, 4, WEIGHTS) : null;
    this.difference = values && subtract(values, this.before.values);
    const codes = this.difference && differenceCodes(this.difference.values, this.difference.limit);
    const any = this.difference && this.difference.blocked + this.difference.freed;
    this.pixels.resize(columns * side, rows * side);
    for (let i = 0; i < rows * columns; i++) {
      const [left, top, start] = [(i % columns) * side, Math.floor(i / columns) * side, i * side * side];
      this.pixels.put(codes ?? this.codes, start, side, side, left, top, codes ? 8 : 4, this.lab.scales[codes ? "signed" : "weights"]);
      for (let k = 0; values && any && k < side * side; k++) {
        if (turned(values[start + k], this.before.values[start + k])) this.pixels.words[(top + Math.floor(k / side)) * columns * side + left + (k % side)] = TURNED;
      }
    }
    this.pixels.flush();
  }

  tellDifference() {
    return this.difference ? tellDifference(this.difference).replaceAll(/[✕○] /g, "grey: ") : "";
  }

  /** @returns {Labs.Cell} */
  shape() {
    return [this.meta.rows, this.meta.columns];
  }

  draw() {
    if (!this.ready) return;
    const { rows, columns, side, chosen, off } = this.meta;
    const { margin } = this;
    const pitch = clamp(Math.floor((this.room - margin) / columns), 14, 74);
    const tile = pitch - 4;
    this.pitch = pitch;
    const { context } = this;
    this.drawAround([rows, columns], [margin - 2, margin - 2, columns * pitch + 4, rows * pitch + 4], () => {
      this.size(margin + columns * pitch + 2, margin + rows * pitch + 2);
      setFont(context, "11px system-ui, sans-serif");
      context.fillStyle = this.lab.ink;
      context.textAlign = "center";
      context.textBaseline = "middle";
      for (let column = 0; column < columns; column++) context.fillText(String(column), margin + (column + 0.5) * pitch, 10);
      for (let row = 0; row < rows; row++) context.fillText(String(row), 9, margin + (row + 0.5) * pitch);
    });
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const [x, y] = [margin + column * pitch + 2, margin + row * pitch + 2];
        context.drawImage(this.pixels.canvas, column * side, row * side, side, side, x, y, tile, tile);
      }
    }
    for (const [row, column] of off) this.cross(margin + column * pitch + 2, margin + row * pitch + 2, tile);
    this.frame(margin + chosen[1] * pitch + 1, margin + chosen[0] * pitch + 1, tile + 2, tile + 2);
    this.describeCanvas(this.describe(...chosen));
  }

  /**
   * A head that is switched off: faded and crossed out.
   * @param {number} x
   * @param {number} y
   * @param {number} tile
   */
  cross(x, y, tile) {
    const context = this.context;
    context.fillStyle = this.lab.paper;
    context.globalAlpha = 0.6;
    context.fillRect(x, y, tile, tile);
    context.globalAlpha = 1;
    context.strokeStyle = this.lab.ink;
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x + tile, y + tile);
    context.moveTo(x + tile, y);
    context.lineTo(x, y + tile);
    context.stroke();
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {Labs.Cell | null}
   */
  cellAt(x, y) {
    const [column, row] = [x, y].map((at) => Math.floor((at - this.margin) / this.pitch));
    const inside = row >= 0 && column >= 0 && row < this.meta.rows && column < this.meta.columns;
    return inside ? [row, column] : null;
  }

  act() {
    if (this.spec.toggles) this.lab.change({ [this.spec.toggles]: !this.lab.values[this.spec.toggles] });
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  describe(row, column) {
    const at = row * this.meta.columns + column;
    const value = this.comparing ? bothNumbers(this.numbers[at], this.before.numbers[at]) : formatNumber(this.numbers[at]);
    const has = (/** @type {Labs.Cell[]} */ cells) => cells.some(([r, c]) => r === row && c === column);
    const [off, wasOff] = [has(this.meta.off), this.comparing && has(this.before.meta.off)];
    return fillIn(this.spec.tells, { i: row, j: column, value }) + (off ? "; switched off" : "") + (wasOff ? "; was switched off" : "");
  }

  table() {
    const { rows, columns } = this.meta;
    const heads = [...Array(columns).keys()].map((c) => `${this.spec.item} ${c}`);
    const body = [...Array(rows).keys()].map((r) => [
      `${this.spec.row} ${r}`,
      ...heads.map((_, c) => this.comparing
        ? withDifference(this.numbers[r * columns + c], this.before.numbers[r * columns + c])
        : formatNumber(this.numbers[r * columns + c])),
    ]);
    return numberTable(`${this.spec.label}: ${this.spec.number}`, ["", ...heads], body);
  }
}
