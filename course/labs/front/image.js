/** A small image in patches, with a number for each as its colour. */

import { bothNumbers, formatSigned, shortSigned, subtract, tellDifference, withDifference } from "./differences.js";
import { numberTable, setFont } from "./dom.js";
import { DARKEST, patchAt } from "./ink.js";
import { CanvasPanel, STEPS } from "./panel.js";
import { line } from "./strokes.js";
import { clamp, fillIn, formatNumber } from "./text.js";

const PAPER = "#ffffff";

const DOT = 0.68; // of a cell's width, the side of the square that stands for full ink

/**
 * An image of few pixels, cut into patches of which one is chosen. Buffers: `ink` (a byte a pixel, 0 to
 * 16) and, where the patches' colours stand for numbers, `heat` (float32, one for each patch, NaN for none).
 *
 * @template {Labs.ImageSpec} S
 * @extends {CanvasPanel<S, Labs.ImageMeta>}
 */
export class ImagePanel extends CanvasPanel {
  /**
   * @param {any} spec
   * @param {Labs.Host} lab
   */
  constructor(spec, lab) {
    super({ ...spec, chooses: [null, spec.chooses] }, lab);
    this.levels = new Uint8Array(0);
    /** @type {Float32Array | null} */
    this.heat = null;
    /** @type {import("./differences.js").Difference | null} */
    this.difference = null; // from what was kept
    /** @type {number} */
    this.lit = -1; // the patch that is pointed at, here or elsewhere
    this.cell = 24; // the side of a pixel, in CSS pixels
    this.canvas.addEventListener("focus", () => this.lab.point(this.ready ? this.pointedAt(this.meta.chosen) : null, this));
    this.canvas.addEventListener("blur", () => this.lab.point(null, this));
  }

  get seenAs() {
    return "image in patches";
  }

  /** Patches in a row. */
  get across() {
    return this.meta.side / this.meta.patch;
  }

  /**
   * The patches that are grey; the learner's own move is seen before Python answers.
   * @returns {number[]}
   */
  get occluded() {
    const { toggles } = this.spec;
    return (toggles && this.lab.values[toggles]) || this.meta.occluded;
  }

  /**
   * @param {Labs.ImageMeta} _meta
   * @param {Record<string, ArrayBuffer>} data
   */
  read(_meta, data) {
    this.levels = new Uint8Array(data.ink);
    this.heat = data.heat ? new Float32Array(data.heat) : null;
  }

  // Before and after

  /** @returns {any} */
  snapshot() {
    return this.heat && { heat: this.heat, patch: this.meta.patch, about: this.meta.about };
  }

  /**
   * @param {{ patch: number, about?: string }} before
   * @returns {string}
   */
  unlike({ patch, about }) {
    if (patch !== this.meta.patch) return "its patches have another size now";
    return about === this.meta.about ? "" : `it is about ${this.meta.about} now, not ${about}`;
  }

  contrast() {
    this.difference = this.comparing && this.heat ? subtract(this.heat, this.before.heat) : null;
  }

  tellDifference() {
    return this.difference ? tellDifference(this.difference).replaceAll("blocked", "without a number") : "";
  }

  // Patches: chosen, pointed at, greyed

  /** @returns {Labs.Cell} */
  shape() {
    return [1, this.across * this.across];
  }

  /**
   * Nothing may be chosen: -1.
   * @param {Labs.Cell} mine
   * @param {Labs.Cell} theirs
   * @returns {Labs.Cell}
   */
  kept(mine, theirs) {
    return [0, clamp(this.merged(mine, theirs)[1], -1, this.shape()[1] - 1)];
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {Labs.Cell | null}
   */
  cellAt(x, y) {
    const { side, patch } = this.meta;
    const [row, column] = [y / this.cell, x / this.cell].map(Math.floor);
    return row >= 0 && column >= 0 && row < side && column < side ? [0, patchAt(row, column, patch, side)] : null;
  }

  /**
   * @param {string} key
   * @returns {Labs.Cell | null}
   */
  target(key) {
    const [, at] = this.meta.chosen;
    const [step, { across }] = [STEPS[key], this];
    if (!step && key !== "Home" && key !== "End") return null;
    if (key === "End") return [0, across * across - 1];
    if (at < 0 || key === "Home") return [0, 0];
    const [row, column] = [Math.floor(at / across) + step[0], (at % across) + step[1]];
    return [0, clamp(row, 0, across - 1) * across + clamp(column, 0, across - 1)];
  }

  /**
   * Space covers the chosen patch, or uncovers it.
   * @param {number} _
   * @param {number} patch
   */
  act(_, patch) {
    if (patch < 0 || !this.spec.toggles) return;
    const on = this.occluded;
    this.lab.change({ [this.spec.toggles]: on.includes(patch) ? on.filter((each) => each !== patch) : [...on, patch].sort((a, b) => a - b) });
    this.draw();
  }

  /**
   * Let all panels show the patch under the pointer.
   * @param {Labs.Cell | null} cell
   */
  hover(cell) {
    this.say(cell);
    const at = cell && this.pointedAt(cell);
    this.lab.point(at, this);
    this.light(at?.patch ?? -1);
  }

  /**
   * What other panels are told of a cell.
   * @param {Labs.Cell} cell
   */
  pointedAt(cell) {
    const patch = this.patchOf(cell);
    return patch < 0 ? null : { patch };
  }

  /**
   * @param {Labs.Cell} cell
   */
  patchOf(cell) {
    return this.spec.in_order && cell[1] >= 0 ? this.meta.order[cell[1]] : cell[1];
  }

  /**
   * @param {Record<string, number> | null} at
   */
  point(at) {
    this.light(at?.patch ?? -1);
  }

  /**
   * @param {number} patch
   */
  light(patch) {
    if (!this.ready) return;
    const at = this.spec.in_order ? this.meta.order.indexOf(patch) : patch;
    if (at === this.lit) return;
    this.lit = at;
    this.draw();
  }

  /**
   * The keys' way through the patches lights them elsewhere too.
   * @param {number} row
   * @param {number} patch
   */
  choose(row, patch) {
    super.choose(row, patch);
    this.lab.point(this.pointedAt([row, patch]), this);
  }

  // The picture

  layout() {
    this.cell = clamp(Math.floor((this.room - 4) / this.meta.side), 8, this.spec.cell ?? 30);
    const side = this.cell * this.meta.side;
    this.size(Math.max(side + 2, this.heat ? 180 : 0), side + 2 + (this.heat ? 32 : 0));
  }

  draw() {
    if (!this.ready) return;
    this.layout();
    this.drawPatches();
    if (this.heat) this.drawLegend();
    this.describeCanvas(this.describe(...this.meta.chosen));
  }

  drawPatches() {
    const { side, patch } = this.meta;
    for (let i = 0; i < this.levels.length; i++) this.drawPixel(Math.floor(i / side), i % side);
    for (const each of this.occluded) this.hatchPatch(each);
    this.drawBorders();
    const [, chosen] = this.meta.chosen;
    if (chosen >= 0) this.framePatch(chosen, 2);
    if (this.lit >= 0 && this.lit !== chosen && this.lit < (side / patch) ** 2) this.framePatch(this.lit, 1);
  }

  /**
   * A pixel: grey by its ink; or, on the colour of its patch, a dark square as large as its ink.
   * @param {number} row
   * @param {number} column
   */
  drawPixel(row, column) {
    const { context, cell, heat } = this;
    const { side, patch } = this.meta;
    const [x, y, at] = [column * cell, row * cell, patchAt(row, column, patch, side)];
    const share = Math.min(this.levels[row * side + column] / DARKEST, 1);
    context.fillStyle = heat ? this.colourOf(at) : grey(share);
    context.fillRect(x, y, cell, cell);
    if (!heat || !share || this.occluded.includes(at)) return;
    const dot = DOT * cell * Math.sqrt(share);
    context.fillStyle = PAPER;
    context.globalAlpha = 0.75;
    context.fillRect(x + (cell - dot) / 2 - 1, y + (cell - dot) / 2 - 1, dot + 2, dot + 2);
    context.globalAlpha = 1;
    context.fillStyle = "#101010";
    context.fillRect(x + (cell - dot) / 2, y + (cell - dot) / 2, dot, dot);
  }

  /** What a colour stands for. @returns {Labs.Coding} */
  get coding() {
    return this.difference ? { scale: "signed", limit: this.difference.limit || 1 } : { scale: this.meta.scale, limit: this.meta.limit };
  }

  /**
   * A patch's colour: both scales begin at white, the one for weights has no blue side.
   * @param {number} patch
   */
  colourOf(patch) {
    const value = this.difference ? this.difference.values[patch] : (this.heat?.[patch] ?? NaN);
    const { scale, limit } = this.coding;
    if (Number.isNaN(value)) return "#d8d8d8";
    const share = clamp(value / limit, -1, 1);
    const word = this.lab.scales.signed[Math.round(127.5 * (1 + (scale === "signed" ? share : Math.sqrt(Math.max(share, 0)))))];
    return `rgb(${word & 255}, ${(word >> 8) & 255}, ${(word >> 16) & 255})`;
  }

  /**
   * @param {number} patch
   * @returns {[number, number, number]}
   */
  boxOf(patch) {
    const wide = this.meta.patch * this.cell;
    return [(patch % this.across) * wide, Math.floor(patch / this.across) * wide, wide];
  }

  /**
   * @param {number} patch
   * @param {number} thick
   */
  framePatch(patch, thick) {
    const [x, y, wide] = this.boxOf(patch);
    this.frame(x + 2, y + 2, wide - 4, wide - 4, thick);
  }

  /**
   * Grey lines over a patch that the model sees as grey.
   * @param {number} patch
   */
  hatchPatch(patch) {
    const [x, y, wide] = this.boxOf(patch);
    hatchSquare(this.context, x, y, wide, !this.heat);
  }

  /** Lines around the patches, and faint ones around the pixels. */
  drawBorders() {
    const { context, cell } = this;
    const { side, patch } = this.meta;
    for (const [every, alpha] of [[1, 0.16], [patch, 0.7]]) {
      context.beginPath();
      for (let i = 0; i <= side; i += every) {
        line(context, 0, i * cell + 0.5, side * cell, i * cell + 0.5);
        line(context, i * cell + 0.5, 0, i * cell + 0.5, side * cell);
      }
      context.lineWidth = 1;
      context.globalAlpha = alpha;
      context.strokeStyle = "#404040";
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  /** The scale: what a colour stands for. */
  drawLegend() {
    const { context, coding } = this;
    const [y, width, signed] = [this.cell * this.meta.side + 8, 168, coding.scale === "signed"];
    const colours = this.lab.legend("signed");
    context.drawImage(colours, signed ? 0 : 128, 0, signed ? 256 : 128, 1, 0, y, width, 8);
    setFont(context, "11px system-ui, sans-serif");
    context.fillStyle = this.lab.ink;
    context.textBaseline = "top";
    [0, 0.5, 1].forEach((share, i) => {
      context.textAlign = /** @type {CanvasTextAlign[]} */ (["left", "center", "right"])[i];
      const value = (signed ? 2 * share - 1 : share * share) * coding.limit;
      context.fillText(signed ? shortSigned(Number(value.toPrecision(2))) : formatNumber(value), share * width, y + 11);
    });
  }

  // In words

  /**
   * @param {number} _
   * @param {number} patch
   */
  describe(_, patch) {
    if (patch < 0) return this.spec.nothing ?? "";
    const words = { i: patch, row: Math.floor(patch / this.across), column: patch % this.across, value: this.numberOf(patch) };
    return fillIn(this.spec.tells ?? "patch {i}", words) + (this.occluded.includes(patch) ? "; occluded" : "");
  }

  /**
   * A patch's number in words, with what it was.
   * @param {number} patch
   */
  numberOf(patch) {
    const now = this.heat?.[patch] ?? NaN;
    if (this.comparing) return bothNumbers(now, this.before.heat[patch], 3).replaceAll("blocked", "–");
    return this.meta.scale === "signed" ? formatSigned(now, 3) : formatNumber(now, 3);
  }

  table() {
    const { across } = this;
    const value = (/** @type {number} */ i) => {
      const now = this.heat?.[i] ?? NaN;
      return this.comparing ? withDifference(now, this.before.heat[i], 3) : formatNumber(now, 3);
    };
    const places = [...Array(across).keys()];
    const body = places.map((row) => [`row ${row}`, ...places.map((column) => value(row * across + column))]);
    return numberTable(`${this.spec.label}; a number a patch`, ["", ...places.map((column) => `column ${column}`)], body);
  }
}

/**
 * @param {number} share - of ink
 */
export function grey(share) {
  const light = Math.round(255 * (1 - share));
  return `rgb(${light}, ${light}, ${light})`;
}

/**
 * Hatch a square; `fill` paints it grey first.
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} wide
 * @param {boolean} fill
 */
export function hatchSquare(context, x, y, wide, fill) {
  context.save();
  context.beginPath();
  context.rect(x, y, wide, wide);
  context.clip();
  if (fill) {
    context.fillStyle = grey(0.3);
    context.fillRect(x, y, wide, wide);
  }
  context.beginPath();
  for (let at = x - wide; at < x + wide; at += 7) line(context, at, y + wide, at + wide, y);
  context.lineWidth = 1.5;
  context.globalAlpha = 0.6;
  context.strokeStyle = "#303030";
  context.stroke();
  context.restore();
}
