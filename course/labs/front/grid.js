/** Many small matrices in rows and columns: every layer and head. */

import { readCodes } from "./codes.js";
import { numberTable, setFont } from "./dom.js";
import { CanvasPanel } from "./panel.js";
import { clamp, fillIn, formatNumber } from "./text.js";

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
    this.pixels.resize(meta.columns * meta.side, meta.rows * meta.side);
    for (let row = 0; row < meta.rows; row++) {
      for (let column = 0; column < meta.columns; column++) {
        const at = (row * meta.columns + column) * stride;
        const codes = readCodes(bytes.slice(at, at + stride), 4, count);
        const scale = this.lab.scales.weights;
        this.pixels.put(codes, 0, meta.side, meta.side, column * meta.side, row * meta.side, 4, scale);
      }
    }
    this.pixels.flush();
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
    const value = formatNumber(this.numbers[row * this.meta.columns + column]);
    const off = this.meta.off.some(([r, c]) => r === row && c === column);
    return fillIn(this.spec.tells, { i: row, j: column, value }) + (off ? "; switched off" : "");
  }

  table() {
    const { rows, columns } = this.meta;
    const heads = [...Array(columns).keys()].map((c) => `${this.spec.item} ${c}`);
    const body = [...Array(rows).keys()].map((r) => [
      `${this.spec.row} ${r}`,
      ...heads.map((_, c) => formatNumber(this.numbers[r * columns + c])),
    ]);
    return numberTable(`${this.spec.label}: ${this.spec.number}`, ["", ...heads], body);
  }
}
