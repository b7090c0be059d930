/** Lines from each word to the words it looks at, in one head or in several. */

import { CODES } from "./codes.js";
import { contextOf, make, numberTable, setFont } from "./dom.js";
import { bothSides, bundle, decodeLines, describeLines, formatShare, LEVELS, placeHeads, placeWords, TONE_EDGES } from "./lines.js";
import { CanvasPanel } from "./panel.js";
import { clamp, formatNumber, sameValue } from "./text.js";

const FAINT = 0.3; // of the lines that are not those of the chosen query
const TOP = 20; // above the first word
const GAP = 12; // between a word and its lines
const LEGEND_PITCH = 58;
const NO_LINES = decodeLines({ weights: new ArrayBuffer(0) }, [], 0, 0);
const DASHES_OF_HEADS = [[], [6, 3]]; // of the heads that have colours of their own; of the others

/**
 * Words twice, queries on the left and keys on the right, with lines between. Buffers: `weights`
 * (8-bit codes, of each head, query and heaviest key), `keys` (where not all are sent), `shares`
 * (8-bit codes) and `limit` (float32), where the lines show what the values add.
 *
 * @extends {CanvasPanel<Labs.FlowSpec, Labs.FlowMeta>}
 */
export class FlowPanel extends CanvasPanel {
  /**
   * @param {Labs.FlowSpec} spec
   * @param {Labs.Host} lab
   */
  constructor(spec, lab) {
    super(spec, lab);
    this.lines = NO_LINES;
    this.layer = make("canvas"); // all lines, drawn where they or the colours changed
    this.layered = "";
    this.version = 0; // of the lines
    this.measured = ""; // the words whose width is known
    this.widest = 0;
    // Where the lines begin and end, and the words' pitch on each side, in CSS pixels.
    this.left = this.right = this.high = 0;
    /** @type {[number, number]} */
    this.pitches = [0, 0];
  }

  get seenAs() {
    return "lines between words";
  }

  /**
   * @param {Record<string, number> | null} at
   */
  point(at) {
    this.pointTo(at);
  }

  /**
   * The panel itself shows what is pointed at in it.
   * @param {Labs.Cell | null} cell
   */
  hover(cell) {
    super.hover(cell);
    if (sameValue(cell, this.pointed)) return;
    this.pointed = cell;
    this.draw();
  }

  /** @returns {Labs.Cell} */
  shape() {
    return [this.rowLabels.length, this.columnLabels.length];
  }

  /**
   * @param {Labs.FlowMeta} meta
   * @param {Record<string, ArrayBuffer>} data
   */
  read(meta, data) {
    const [rows, columns] = this.shape();
    this.lines = decodeLines(data, meta.heads, rows, meta.count, columns);
    this.version++;
    if (this.pointed && (this.pointed[0] >= rows || this.pointed[1] >= columns)) this.pointed = null; // a longer text's word
  }

  layout() {
    const words = [...this.rowLabels, ...this.columnLabels, ...(this.spec.sides ?? [])];
    const key = words.join("\n");
    if (key !== this.measured) {
      setFont(this.context, "bold 12px system-ui, sans-serif");
      this.widest = Math.ceil(Math.max(0, ...words.map((word) => this.context.measureText(word).width)));
      this.measured = key;
    }
    const width = Math.min(this.room, 560);
    this.left = clamp(this.widest + 6, 40, Math.min(116, width / 3)) + GAP;
    this.right = width - this.left;
    const [rows, columns] = this.shape();
    const most = Math.max(rows, columns, 1);
    this.high = most * placeWords(most);
    this.pitches = [this.high / Math.max(rows, 1), this.high / Math.max(columns, 1)]; // both sides are as high
  }

  draw() {
    if (!this.ready) return;
    this.layout();
    const { left, right } = this;
    const bottom = TOP + this.high + 4;
    const keys = this.legendItems();
    const across = Math.max(1, Math.floor((left + right) / LEGEND_PITCH));
    const focus = this.focus();
    const parts = [this.measured, focus, this.meta.chosen, keys, this.pitches];
    /** @type {[number, number, number, number]} */
    const area = [left - 3, TOP - 4, right - left + 6, bottom - TOP + 4]; // with the ends of thick lines
    this.drawAround(parts, area, () => {
      this.size(left + right, bottom + (keys.length ? 6 + 18 * Math.ceil(keys.length / across) : 0));
      this.drawWords(focus);
      this.drawLegend(keys, across, bottom + 6);
    });
    this.drawLayer(right - left, bottom - TOP);
    this.context.globalAlpha = FAINT;
    this.context.drawImage(this.layer, left, TOP - 2, right - left, bottom - TOP);
    this.context.globalAlpha = 1;
    this.context.save();
    this.context.translate(left, TOP - 2);
    const strong = bundle(this.lines, (query, key) => focus[0] < 0 ? key === focus[1] : query === focus[0] && (focus[2] || key === focus[1]));
    this.strokeLines(this.context, right - left, strong, true);
    this.context.restore();
    this.describeCanvas(this.describe(...this.meta.chosen));
  }

  /**
   * Whose lines are strong: a query (or -1), a key (or -1), and whether all lines of the query are.
   * @returns {[number, number, boolean]}
   */
  focus() {
    const [query, key] = this.pointed ?? this.meta.chosen;
    return [query, key, !this.pointed || key < 0];
  }

  /**
   * Draw all lines on the layer, unless they are there; the lightest would not be seen.
   * @param {number} width
   * @param {number} height
   */
  drawLayer(width, height) {
    const ratio = this.lab.sharpness;
    const key = JSON.stringify([this.version, width, height, ratio, this.lab.ink, this.lab.paper]);
    if (key === this.layered) return;
    this.layered = key;
    Object.assign(this.layer, { width: Math.round(width * ratio), height: Math.round(height * ratio) }); // empties it
    const context = contextOf(this.layer);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.strokeLines(context, width, bundle(this.lines, () => true).filter(({ level }) => level > 1), false);
  }

  /**
   * Stroke bundles of lines. One stroke a line is faster than a path of all, whose crossings would be
   * looked for; so are thin lines without dashes, which are enough behind the strong ones.
   * @param {CanvasRenderingContext2D} context
   * @param {number} width
   * @param {ReturnType<typeof bundle>} bundles
   * @param {boolean} dashed
   */
  strokeLines(context, width, bundles, dashed) {
    const { lines, pitches: [from, to] } = this;
    const signed = lines.tones !== null;
    const shifts = placeHeads(lines.heads.length, Math.min(from, to));
    for (const { colour, level, members } of bundles) {
      const share = level / LEVELS; // the root of the weight
      context.lineWidth = Math.max(1, 4 * share * share);
      context.globalAlpha = 0.05 + 0.95 * share;
      context.strokeStyle = signed ? this.toneColour(colour) : this.headColour(lines.heads[colour]);
      if (dashed) context.setLineDash(signed ? (colour < 0 ? [6, 3] : []) : this.headDash(lines.heads[colour]));
      for (const line of members) {
        const shift = 2 + shifts[lines.head[line]];
        context.beginPath();
        context.moveTo(0, (lines.query[line] + 0.5) * from + shift);
        context.lineTo(width, (lines.key[line] + 0.5) * to + shift);
        context.stroke();
      }
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  /**
   * @param {number} head
   */
  headColour(head) {
    const colours = this.lab.colours.heads ?? [];
    return colours[head % colours.length] ?? this.lab.ink;
  }

  /**
   * @param {number} head
   */
  headDash(head) {
    return DASHES_OF_HEADS[head < (this.lab.colours.heads ?? []).length ? 0 : 1];
  }

  /**
   * The colour of a share of the output: below 0 for negative ones.
   * @param {number} tone
   */
  toneColour(tone) {
    return this.lab.colours.signed?.[tone + TONE_EDGES.length] ?? this.lab.ink;
  }

  /**
   * The words on both sides; where they are too close, only those that are pointed at or chosen.
   * @param {[number, number, boolean]} focus
   */
  drawWords(focus) {
    const { left, right, pitches, context } = this;
    context.fillStyle = this.lab.ink;
    context.textBaseline = "middle";
    setFont(context, "11px system-ui, sans-serif");
    const [written, read] = this.sides();
    this.write("right", written.called, left - GAP, 8);
    this.write("left", read.called, right + GAP, 8);
    [written, read].forEach(({ words }, side) => {
      const pitch = pitches[side];
      const font = `${clamp(pitch - 1, 9, 12)}px system-ui, sans-serif`;
      const write = (/** @type {number} */ i) => this.write(side ? "left" : "right", words[i], side ? right + GAP : left - GAP, TOP + (i + 0.5) * pitch);
      setFont(context, font);
      if (pitch >= 9) words.forEach((_, i) => i !== focus[side] && write(i));
      setFont(context, `bold ${font}`);
      const strong = Number(focus[side]);
      if (strong >= 0) write(strong);
      const high = clamp(pitch - 5, 3, 15);
      this.frame(side ? right + 5 : left - GAP + 4, TOP + (this.meta.chosen[side] + 0.5) * pitch - high / 2, 3, high, 1);
    });
  }

  /** What stands on each side. */
  sides() {
    const [written, read] = bothSides(this.rowLabels);
    const { sides, first = 0 } = this.spec;
    read.words = this.columnLabels;
    if (sides) [written.called, read.called] = sides;
    written.first = read.first = first;
    return /** @type {ReturnType<typeof bothSides>} */ ([written, read]);
  }

  /**
   * @param {CanvasTextAlign} align
   * @param {string} word
   * @param {number} x
   * @param {number} y
   */
  write(align, word, x, y) {
    this.context.textAlign = align;
    this.context.fillText(word, x, y, this.left - GAP - 4);
  }

  /**
   * What the colours mean, as far as there are several.
   * @returns {[string, string, number[]][]} - word, colour and dash
   */
  legendItems() {
    const { heads, tones } = this.lines;
    if (tones) {
      const words = ["≤ −.3", "≤ −.1", "≤ −.02", "≈ 0", "≥ .02", "≥ .1", "≥ .3"];
      return words.map((word, i) => [word, this.toneColour(i - TONE_EDGES.length), i < TONE_EDGES.length ? [6, 3] : []]);
    }
    return heads.length < 2 ? [] : heads.map((head) => [String(head), this.headColour(head), this.headDash(head)]);
  }

  /**
   * @param {[string, string, number[]][]} items
   * @param {number} across
   * @param {number} top
   */
  drawLegend(items, across, top) {
    const { context } = this;
    setFont(context, "11px system-ui, sans-serif");
    context.textAlign = "left";
    items.forEach(([word, colour, dash], i) => {
      const [x, y] = [4 + LEGEND_PITCH * (i % across), top + 9 + 18 * Math.floor(i / across)];
      context.fillText(word, x + 15, y, LEGEND_PITCH - 18);
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x + 12, y);
      Object.assign(context, { lineWidth: 3, strokeStyle: colour });
      context.setLineDash(dash.map((length) => length * 0.7));
      context.stroke();
    });
    context.setLineDash([]);
  }

  /**
   * A word on either side; the other side of the cell is -1.
   * @param {number} x
   * @param {number} y
   * @returns {Labs.Cell | null}
   */
  cellAt(x, y) {
    /** @type {0 | 1 | null} */
    const side = x <= this.left + 8 ? 0 : x >= this.right - 8 ? 1 : null;
    if (side === null) return null;
    const at = Math.floor((y - TOP) / this.pitches[side]);
    if (at < 0 || at >= this.shape()[side]) return null;
    return side ? [-1, at] : [at, -1];
  }

  /**
   * A press on one side leaves the choice on the other.
   * @param {number} row
   * @param {number} column
   */
  choose(row, column) {
    const [query, key] = this.meta.chosen;
    super.choose(row < 0 ? query : row, column < 0 ? key : column);
  }

  /**
   * Only the side that was moved: a lab may let the other follow.
   * @param {Labs.Cell} before
   */
  tells(before) {
    return super.tells(before).map((name, i) => (before[i] === this.meta.chosen[i] ? null : name));
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  describe(row, column) {
    return describeLines(this.lines, this.sides(), row, column);
  }

  /**
   * The line below also follows what is pointed at elsewhere.
   * @param {Labs.Cell | null} cell
   */
  say(cell = null) {
    super.say(cell ?? this.pointed);
  }

  table() {
    const { lines } = this;
    const [written, read] = this.sides();
    const shares = lines.shares;
    const head = [`head, ${written.called}`, read.called, "weight", ...(shares ? ["share of the output"] : [])];
    const body = [...lines.code.keys()].flatMap((line) => {
      if (lines.code[line] === CODES[8].blocked) return [];
      const [query, key] = [lines.query[line], lines.key[line]];
      const weight = formatNumber(lines.weights[line]);
      return [[`${lines.heads[lines.head[line]]}, ${written.first + query} ${written.words[query]}`, `${read.first + key} ${read.words[key]}`, weight, ...(shares ? [formatShare(lines, shares[line])] : [])]];
    });
    return numberTable(this.caption.textContent ?? this.spec.label, head, body);
  }
}
