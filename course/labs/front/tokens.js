/** A text cut into pieces, each with its number. */

import { CODES } from "./codes.js";
import { bothNumbers, formatSigned, matchPieces, tellNewAndGone } from "./differences.js";
import { numberTable, setFont } from "./dom.js";
import { CanvasPanel } from "./panel.js";
import { line } from "./strokes.js";
import { clamp, fillIn, formatNumber, sameValue } from "./text.js";

/** What the bits of a piece's mark say, as in course/labs/pieces.py. */
const SPECIAL = 1;

const UNKNOWN = 2;

export const CONTINUES = 4;

export const STARTS_LINE = 8;

/** In a text from right to left: a piece that stands from left to right with its neighbours, as digits do. */
export const RIGHTWARDS = 16;

const PIECE = { high: 24, line: 48, gap: 5, plus: 9, font: "14px system-ui, sans-serif", small: "11px system-ui, sans-serif" };

/**
 * A text cut into pieces, in lines, each piece with its number below. Buffers: `numbers` (float32,
 * NaN for none), `marks` (a byte a piece: special, unknown, continues the piece before, starts a
 * line) and, where the colour stands for a number, `shades` (8-bit codes of meta.scale). Without
 * shades, the pieces of one word share a colour, which only tells words apart.
 *
 * @extends {CanvasPanel<Labs.TokensSpec, Labs.TokensMeta>}
 */
export class TokensPanel extends CanvasPanel {
  /**
   * @param {Omit<Labs.TokensSpec, "chooses"> & { chooses?: string }} spec
   * @param {Labs.Host} lab
   */
  constructor(spec, lab) {
    super({ ...spec, chooses: [null, spec.chooses] }, lab);
    /** @type {Box[]} */
    this.boxes = [];
    this.numbers = new Float32Array(0);
    this.marks = new Uint8Array(0);
    /** @type {Uint8Array | null} */
    this.shades = null;
    /** @type {number[] | null} */
    this.partners = null; // for each piece, the kept piece that it is compared with; -1 for a new one
  }

  snapshot() {
    return { pieces: [...this.pieces], numbers: this.numbers };
  }

  /**
   * @param {ReturnType<TokensPanel["snapshot"]>} before
   */
  unlike({ pieces }) {
    const shared = this.pieces.some((piece, i) => !this.has(i, SPECIAL) && pieces.includes(piece));
    return shared || sameValue(pieces, this.pieces) ? "" : "it shows another text now";
  }

  contrast() {
    this.partners = this.comparing ? matchPieces(this.pieces, this.before.pieces) : null;
  }

  tellDifference() {
    /** @type {number[]} */
    const partners = this.partners ?? [];
    return `${partners.some((at) => at < 0) ? "Barred, with a plus: new. " : ""}${tellNewAndGone(this.pieces, this.before.pieces, partners)}`;
  }

  /**
   * Whether a piece was not in the kept text.
   * @param {number} i
   */
  isNew(i) {
    return this.partners !== null && this.partners[i] < 0;
  }

  /**
   * The number of a piece as it was, where it is an amount (an id is a name).
   * @param {number} i
   */
  numberBefore(i) {
    const partner = this.partners?.[i] ?? -1;
    const number = this.spec.digits && partner >= 0 ? this.before.numbers[partner] : NaN;
    return Number.isNaN(number + this.numbers[i]) ? undefined : number;
  }

  get seenAs() {
    return "text in pieces";
  }

  get pieces() {
    return this.lab.words(this.meta.pieces);
  }

  /** Whether the text is written from right to left. */
  get leftwards() {
    return this.meta.direction === "rtl";
  }

  /**
   * @param {Partial<Labs.TokensMeta>} meta
   * @param {DataView[]} buffers
   */
  update(meta, buffers) {
    super.update(meta, buffers);
    const [, at] = this.meta.chosen ?? [0, 0];
    this.meta.chosen = [0, clamp(at, 0, Math.max(0, this.pieces.length - 1))];
  }

  /**
   * @param {Labs.TokensMeta} meta
   * @param {Record<string, ArrayBuffer>} data
   */
  read(meta, data) {
    this.numbers = new Float32Array(data.numbers);
    this.marks = new Uint8Array(data.marks);
    this.shades = data.shades ? new Uint8Array(data.shades) : null;
  }

  /** @returns {Labs.Cell} */
  shape() {
    return [1, this.pieces.length];
  }

  /**
   * @param {number} i
   * @param {number} mark
   */
  has(i, mark) {
    return Boolean(this.marks[i] & mark);
  }

  /**
   * @param {number} i
   */
  number(i) {
    const [number, digits] = [this.numbers[i], this.spec.digits ?? 0];
    if (Number.isNaN(number)) return "";
    return Number.isInteger(number) && digits === 0 ? String(number) : formatNumber(number, digits);
  }

  /** Place the pieces and size the canvas. */
  layout() {
    const { context, room } = this;
    const measure = (/** @type {string} */ font, /** @type {string} */ text) => {
      setFont(context, font);
      return context.measureText(text).width;
    };
    const needed = this.pieces.map((piece, i) =>
      Math.max(measure(PIECE.font, piece), measure(PIECE.small, this.number(i))) + 12 + (this.isNew(i) ? PIECE.plus : 0));
    const boxes = placePieces(needed, this.marks, room);
    this.boxes = this.leftwards ? mirrorPieces(boxes, this.marks, room) : boxes;
    this.size(room - 2, (this.boxes.at(-1)?.y ?? 2) + PIECE.line + (this.keyText() ? 18 : 0));
  }

  draw() {
    if (!this.ready) return;
    this.layout();
    const { context } = this;
    context.textAlign = "center";
    context.textBaseline = "middle";
    this.boxes.forEach((box, i) => this.drawPiece(box, i));
    const [, chosen] = this.meta.chosen;
    const box = this.boxes[chosen];
    if (box) this.frame(box.x + 1, box.y + 1, box.width - 2, PIECE.high - 2);
    this.drawKey();
    this.describeCanvas(box ? this.describe(0, chosen) : "Nothing.");
  }

  /**
   * @param {Box} box
   * @param {number} i
   */
  drawPiece({ x, y, width, word }, i) {
    const { context } = this;
    const tints = this.lab.colours.tints ?? [this.lab.paper];
    const [fill, ink] = this.shades ? this.shaded(this.shades[i]) : [tints[Math.max(word, 0) % tints.length], this.lab.ink];
    const plain = this.has(i, SPECIAL) && !this.shades;
    context.fillStyle = plain ? this.lab.paper : fill;
    context.fillRect(x, y, width, PIECE.high);
    context.strokeStyle = this.lab.ink;
    context.lineWidth = this.has(i, UNKNOWN) ? 2 : 1;
    context.globalAlpha = this.has(i, UNKNOWN) ? 1 : 0.55;
    context.setLineDash(this.has(i, SPECIAL) ? [4, 3] : []);
    context.strokeRect(x + 0.5, y + 0.5, width - 1, PIECE.high - 1);
    context.setLineDash([]);
    context.globalAlpha = 1;
    if (this.has(i, UNKNOWN)) this.hatchPiece(x, y, width);
    const plus = this.isNew(i) ? PIECE.plus : 0; // room for the mark of a new piece
    if (plus) this.barPiece(x, y, width);
    context.fillStyle = ink;
    setFont(context, (this.has(i, SPECIAL) ? "italic " : "") + PIECE.font);
    context.fillText(this.pieces[i], x + (width + plus) / 2, y + PIECE.high / 2 + 1, width - plus - 4);
    context.fillStyle = this.lab.ink;
    setFont(context, PIECE.small);
    context.fillText(this.number(i), x + width / 2, y + PIECE.high + 9, width);
  }

  /**
   * A piece's colour on the scale, and black or white upon it.
   * @param {number} code
   */
  shaded(code) {
    if (code === CODES[8].blocked) return [this.lab.paper, this.lab.ink];
    const word = this.lab.scales[this.meta.scale][Math.round((code * 255) / CODES[8].top)];
    const [red, green, blue] = [word & 255, (word >> 8) & 255, (word >> 16) & 255];
    return [`rgb(${red}, ${green}, ${blue})`, 0.3 * red + 0.6 * green + 0.1 * blue > 125 ? "#000000" : "#ffffff"];
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} width
   */
  hatchPiece(x, y, width) {
    const { context } = this;
    context.save();
    context.beginPath();
    context.rect(x, y, width, PIECE.high);
    context.clip();
    context.beginPath();
    for (let at = x - PIECE.high; at < x + width; at += 8) line(context, at, y + PIECE.high, at + PIECE.high, y);
    context.lineWidth = 1;
    context.globalAlpha = 0.28;
    context.strokeStyle = this.lab.ink;
    context.stroke();
    context.restore();
    context.globalAlpha = 1;
  }

  /**
   * A new piece: a bar over it, and a plus at its corner.
   * @param {number} x
   * @param {number} y
   * @param {number} width
   */
  barPiece(x, y, width) {
    const { context } = this;
    context.fillStyle = context.strokeStyle = this.lab.ink;
    context.fillRect(x, y, width, 3);
    context.beginPath();
    line(context, x + 3, y + 13, x + 11, y + 13);
    line(context, x + 7, y + 9, x + 7, y + 17);
    context.lineWidth = 1.5;
    context.stroke();
  }

  /** What the marks mean, of those that are there. */
  keyText() {
    if (this.spec.key !== undefined) return this.spec.key;
    const any = (/** @type {number} */ mark) => this.marks.some((bits) => bits & mark);
    return [any(SPECIAL) && "dashed: special token", any(UNKNOWN) && "hatched: unknown", any(CONTINUES) && "touching: pieces of one word"]
      .filter(Boolean).join(" · ");
  }

  drawKey() {
    const { context } = this;
    const last = this.boxes.at(-1);
    setFont(context, PIECE.small);
    context.textAlign = "left";
    context.fillStyle = this.lab.ink;
    context.fillText(this.keyText(), 2, (last ? last.y : 2) + PIECE.line + 6, this.room - 4);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {Labs.Cell | null}
   */
  cellAt(x, y) {
    const i = this.boxes.findIndex((box) => x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + PIECE.line - 4);
    return i < 0 ? null : [0, i];
  }

  /**
   * @param {string} key
   * @returns {Labs.Cell | null}
   */
  target(key) {
    const [, at] = this.meta.chosen;
    const last = this.boxes.length - 1;
    if (last < 0) return null;
    const on = this.leftwards ? -1 : 1;
    /** @type {Record<string, number | undefined>} */
    const leads = { ArrowLeft: at - on, ArrowRight: at + on, Home: 0, End: last };
    const lead = leads[key];
    if (lead !== undefined) return [0, clamp(lead, 0, last)];
    return key === "ArrowUp" || key === "ArrowDown" ? [0, this.inLine(at, key === "ArrowUp" ? -1 : 1)] : null;
  }

  /**
   * Put a piece on the list that space writes, or take it off.
   * @param {number} _
   * @param {number} i
   */
  act(_, i) {
    const { toggles } = this.spec;
    if (!toggles || i >= this.pieces.length) return;
    const on = /** @type {number[]} */ (this.lab.values[toggles] ?? []);
    this.lab.change({ [toggles]: on.includes(i) ? on.filter((each) => each !== i) : [...on, i] });
  }

  /**
   * The piece above or below.
   * @param {number} at
   * @param {number} step
   */
  inLine(at, step) {
    const here = this.boxes[at];
    const middle = here.x + here.width / 2;
    const far = (/** @type {Box} */ box) => Math.abs(box.x + box.width / 2 - middle);
    const others = this.boxes.filter((box) => box.y === here.y + step * PIECE.line);
    return others.length ? this.boxes.indexOf(others.reduce((a, b) => (far(b) < far(a) ? b : a))) : at;
  }

  /**
   * @param {number} _
   * @param {number} i
   */
  describe(_, i) {
    if (i >= this.pieces.length) return "";
    const { called = {}, tells = "{i}: “{piece}”, number {value}", nameless = tells } = this.spec;
    const special = called.special ?? (this.spec.key === undefined && "special token");
    const kinds = [this.has(i, SPECIAL) && special, this.has(i, UNKNOWN) && (called.unknown ?? "unknown"), this.has(i, CONTINUES) && "continues the word"];
    const before = this.numberBefore(i);
    const value = before === undefined ? this.number(i) : bothNumbers(this.numbers[i], before, this.spec.digits);
    const said = fillIn(value === "" ? nameless : tells, { i: (this.spec.first ?? 0) + i, piece: this.pieces[i], value });
    if (this.isNew(i)) kinds.push("new");
    return [said, ...kinds.filter(Boolean)].join("; ");
  }

  table() {
    const kinds = this.pieces.map((_, i) => this.describe(0, i).split("; ").slice(1).join(", "));
    const columns = kinds.some(Boolean) ? 3 : 2;
    const head = ["", this.spec.number ?? "number", "what it is"].slice(0, columns);
    return numberTable(this.spec.label, head, this.pieces.map((piece, i) => [piece, this.numberWithDifference(i), kinds[i]].slice(0, columns)));
  }

  /**
   * @param {number} i
   */
  numberWithDifference(i) {
    const before = this.numberBefore(i);
    return before === undefined ? this.number(i) : `${this.number(i)} (${formatSigned(this.numbers[i] - before, this.spec.digits)})`;
  }
}

/**
 * A piece's place on the canvas, and which word it belongs to.
 * @typedef {{ x: number, y: number, width: number, word: number }} Box
 */

/**
 * Place pieces one after the other, in as many lines as it takes.
 * @param {number[]} needed - the width of each
 * @param {ArrayLike<number>} marks
 * @param {number} room
 * @returns {Box[]}
 */
export function placePieces(needed, marks, room) {
  let [x, y, word] = [2, 2, -1];
  return needed.map((need, i) => {
    const width = Math.min(Math.ceil(need), room - 6);
    const joined = Boolean(marks[i] & CONTINUES);
    if (!joined) word += 1;
    if (i && !joined) x += PIECE.gap;
    if (x > 2 && (x + width > room - 4 || marks[i] & STARTS_LINE)) [x, y] = [2, y + PIECE.line];
    const box = { x, y, width, word };
    x += width;
    return box;
  });
}

/**
 * The same lines from right to left; neighbours that are written from left to right keep that order.
 * @param {Box[]} boxes
 * @param {ArrayLike<number>} marks
 * @param {number} room
 * @returns {Box[]}
 */
export function mirrorPieces(boxes, marks, room) {
  const turned = boxes.map((box) => ({ ...box, x: room - 2 - box.x - box.width }));
  for (let first = 0, last = 0; first < boxes.length; first = last + 1) {
    last = first;
    if (!(marks[first] & RIGHTWARDS)) continue;
    while (last + 1 < boxes.length && marks[last + 1] & RIGHTWARDS && boxes[last + 1].y === boxes[first].y) last++;
    const left = turned[last].x;
    for (let i = first; i <= last; i++) turned[i].x = left + boxes[i].x - boxes[first].x;
  }
  return turned;
}
