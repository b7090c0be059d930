/** An image as the sentence that a model reads: its patches in a row. */

import { numberTable, setFont } from "./dom.js";
import { grey, hatchSquare, ImagePanel } from "./image.js";
import { DARKEST } from "./ink.js";
import { clamp } from "./text.js";

const TILE_GAP = 6;

/**
 * Patches one after the other, each as a small picture with its number in the image and, where that is
 * another, the position that the model adds to it. Buffer: `ink`.
 *
 * @extends {ImagePanel<Labs.ImageSpec>}
 */
export class PatchesPanel extends ImagePanel {
  /**
   * @param {Labs.ImageSpec} spec
   * @param {Labs.Host} lab
   */
  constructor(spec, lab) {
    super(spec, lab);
    this.perLine = 1; // tokens in a line
  }

  get seenAs() {
    return "sentence of patches";
  }

  /** No difference is shown: what was occluded or shuffled is seen by itself. */
  snapshot() {
    return null;
  }

  /** The side of a patch's picture. */
  get tile() {
    return this.meta.patch === 1 ? 22 : 36;
  }

  /** The height of a line: the picture, and the words below. */
  get pitch() {
    return this.tile + (this.meta.positions ? 36 : 22);
  }

  /** The class token's places, then the patches'. */
  get tokens() {
    return [...(this.meta.class_token ? [-1] : []), ...this.meta.order];
  }

  layout() {
    const step = this.tile + TILE_GAP;
    this.perLine = Math.max(1, Math.floor((this.room - 4) / step));
    const lines = Math.ceil(this.tokens.length / this.perLine);
    this.size(Math.min(this.tokens.length, this.perLine) * step + 2, lines * this.pitch);
  }

  /**
   * Where a token stands.
   * @param {number} place - in the sentence
   * @returns {[number, number]}
   */
  cornerOf(place) {
    const { perLine } = this;
    return [(place % perLine) * (this.tile + TILE_GAP) + 2, Math.floor(place / perLine) * this.pitch + 2];
  }

  draw() {
    if (!this.ready) return;
    this.layout();
    this.context.textAlign = "center";
    this.context.textBaseline = "middle";
    this.tokens.forEach((patch, place) => this.drawToken(patch, place));
    this.describeCanvas(this.describe(...this.meta.chosen));
  }

  /**
   * @param {number} patch - -1 for the class token
   * @param {number} place
   */
  drawToken(patch, place) {
    const { context, tile } = this;
    const [x, y] = this.cornerOf(place);
    if (patch < 0) this.drawClassToken(x, y);
    else this.drawTile(patch, x, y);
    context.fillStyle = this.lab.ink;
    setFont(context, "bold 12px system-ui, sans-serif");
    context.fillText(patch < 0 ? "class" : String(patch), x + tile / 2, y + tile + 11);
    const position = this.meta.positions?.[place];
    if (!position) return;
    setFont(context, "11px system-ui, sans-serif");
    context.fillText(tile < 30 ? position : `pos ${position}`, x + tile / 2, y + tile + 25);
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  drawClassToken(x, y) {
    const { context, tile } = this;
    context.setLineDash([4, 3]);
    context.lineWidth = 1;
    context.strokeStyle = context.fillStyle = this.lab.ink;
    context.strokeRect(x + 0.5, y + 0.5, tile - 1, tile - 1);
    context.setLineDash([]);
    setFont(context, "italic 12px system-ui, sans-serif");
    context.fillText("CLS", x + tile / 2, y + tile / 2 + 1);
  }

  /**
   * @param {number} patch
   * @param {number} x
   * @param {number} y
   */
  drawTile(patch, x, y) {
    const { context, tile, across } = this;
    const { patch: wide, side } = this.meta;
    const pixel = tile / wide;
    const [top, left] = [Math.floor(patch / across) * wide, (patch % across) * wide];
    for (let row = 0; row < wide; row++) {
      for (let column = 0; column < wide; column++) {
        context.fillStyle = grey(Math.min(this.levels[(top + row) * side + left + column] / DARKEST, 1));
        context.fillRect(x + column * pixel, y + row * pixel, pixel, pixel);
      }
    }
    if (this.occluded.includes(patch)) hatchSquare(context, x, y, tile, true);
    context.lineWidth = 1;
    context.strokeStyle = "#808080";
    context.strokeRect(x + 0.5, y + 0.5, tile - 1, tile - 1);
    const chosen = this.meta.chosen[1] === patch;
    if (chosen || this.lit === patch) this.frame(x + 1, y + 1, tile - 2, tile - 2, chosen ? 2 : 1);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {Labs.Cell | null}
   */
  cellAt(x, y) {
    const step = this.tile + TILE_GAP;
    const [column, row] = [Math.floor(x / step), Math.floor(y / this.pitch)];
    if (column >= this.perLine || (x % step) > this.tile + 2) return null;
    const patch = this.tokens[row * this.perLine + column];
    return patch === undefined || patch < 0 ? null : [0, patch];
  }

  /**
   * Along the sentence, whatever the order.
   * @param {string} key
   * @returns {Labs.Cell | null}
   */
  target(key) {
    const { order } = this.meta;
    const at = order.indexOf(this.meta.chosen[1]);
    const { perLine } = this;
    /** @type {Record<string, number>} */
    const leads = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - perLine, ArrowDown: at + perLine, Home: 0, End: order.length - 1 };
    const lead = leads[key];
    return lead === undefined ? null : [0, order[clamp(lead, 0, order.length - 1)]];
  }

  /**
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    if (event.key !== "Enter" || !this.ready || event.ctrlKey || event.metaKey || event.altKey) {
      super.onKey(event);
      return;
    }
    this.act(...this.meta.chosen);
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * A click covers a patch, or uncovers it.
   * @param {number} row
   * @param {number} patch
   */
  onPress(row, patch) {
    this.choose(row, patch);
    this.act(row, patch);
  }

  /** A drag over other patches leaves them as they are. */
  onDrag() {}

  /**
   * @param {number} _
   * @param {number} patch
   */
  describe(_, patch) {
    const { order, positions, class_token: classToken } = this.meta;
    const place = order.indexOf(patch);
    const position = positions?.[place + (classToken ? 1 : 0)];
    const told = `patch ${patch}: place ${place} of the sentence`;
    return `${told}${position === undefined ? "" : position === "–" ? ", without a position" : `, with position ${position}`}${this.occluded.includes(patch) ? "; occluded" : ""}`;
  }

  table() {
    const { order, positions, class_token: classToken } = this.meta;
    const body = order.map((patch, place) => {
      const position = positions?.[place + (classToken ? 1 : 0)] ?? String(place);
      return [`place ${place}`, String(patch), position, this.occluded.includes(patch) ? "yes" : "no"];
    });
    return numberTable(this.spec.label, ["", "patch", "position", "occluded"], body);
  }
}
