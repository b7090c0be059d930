/** The flow's lines as numbers: decoded, placed, bundled and put into words. Nothing here draws. */

import { CODES, decode } from "./codes.js";
import { clamp, fillIn, formatNumber } from "./text.js";

/** How many widths and opacities a line can have. */
export const LEVELS = 10;

const MOST_READ = 3; // lines or heads in a sentence, so that it keeps its height

/** Where the colours of a share of the output change: at these, and at their negatives. */
export const TONE_EDGES = [0.02, 0.1, 0.3];

/**
 * Lines, each at the same place of all lists; `head` is a place in `heads`.
 * @typedef {object} Lines
 * @property {number[]} heads
 * @property {number} count - of each head and query
 * @property {number} words - the queries
 * @property {number} keys - the words that are looked at
 * @property {number} limit - the largest share
 * @property {Uint8Array} code
 * @property {Float32Array} weights - NaN where blocked
 * @property {Uint8Array} head
 * @property {Uint8Array} query
 * @property {Uint8Array} key
 * @property {Float32Array | null} shares - NaN where the output is zero
 * @property {Int8Array | null} tones - -3 to 3, of the shares
 */

/**
 * Decode what Python packed (course/labs/attention/flow.py).
 * @param {Record<string, ArrayBuffer>} data
 * @param {number[]} heads
 * @param {number} words
 * @param {number} count
 * @param {number} keys - as many as words by default
 * @returns {Lines}
 */
export function decodeLines(data, heads, words, count, keys = words) {
  const code = new Uint8Array(data.weights);
  const all = code.length;
  const [head, query] = [new Uint8Array(all), new Uint8Array(all)];
  const key = data.keys ? new Uint8Array(data.keys) : new Uint8Array(all);
  for (let line = 0; line < all; line++) {
    const row = Math.floor(line / count);
    head[line] = Math.floor(row / words);
    query[line] = row % words;
    if (!data.keys) key[line] = line % count;
  }
  const weights = Float32Array.from(code, (each) => decode(each, 8, { scale: "weights", limit: 1 }));
  const coding = { scale: "signed", limit: data.limit ? new Float32Array(data.limit)[0] : 1 };
  const shares = data.shares ? Float32Array.from(new Uint8Array(data.shares), (each) => decode(each, 8, coding)) : null;
  return { heads, count, words, keys, limit: coding.limit, code, weights, head, query, key, shares, tones: shares && Int8Array.from(shares, tone) };
}

/**
 * How strongly a share is coloured: 0 near zero and where there is none, up to 3 with its sign.
 * @param {number} share
 */
export function tone(share) {
  const level = TONE_EDGES.filter((edge) => Math.abs(share) >= edge).length;
  return share < 0 && level ? -level : level;
}

/**
 * The pitch of so many words, in CSS pixels: all of them are no higher than a screen.
 * @param {number} count
 */
export function placeWords(count) {
  return clamp(580 / count, 4.5, 20);
}

/**
 * How far each head's lines lie above or below the middle of a word, so that they lie side by side.
 * @param {number} count
 * @param {number} pitch
 */
export function placeHeads(count, pitch) {
  const step = Math.min(3, (pitch - 2) / count);
  return [...Array(count).keys()].map((i) => (i - (count - 1) / 2) * step);
}

/**
 * The level of a code, from 1 to LEVELS: it grows with the weight's root; 0 is not drawn.
 * @param {number} code
 */
export function levelOf(code) {
  return code === CODES[8].blocked ? 0 : Math.ceil((code / CODES[8].top) * LEVELS);
}

/**
 * Bundle lines that look alike, the strongest last; of a head, or of a tone where there are shares.
 * @param {Lines} lines
 * @param {(query: number, key: number) => boolean} wanted
 * @returns {{ colour: number, level: number, members: number[] }[]}
 */
export function bundle(lines, wanted) {
  /** @type {Map<number, { colour: number, level: number, members: number[] }>} */
  const bundles = new Map();
  for (let line = 0; line < lines.code.length; line++) {
    const level = levelOf(lines.code[line]);
    if (!level || !wanted(lines.query[line], lines.key[line])) continue;
    const colour = lines.tones ? lines.tones[line] : lines.head[line];
    const at = level * 64 + colour + 8;
    const same = bundles.get(at);
    if (same) same.members.push(line);
    else bundles.set(at, { colour, level, members: [line] });
  }
  return [...bundles.entries()].sort(([a], [b]) => a - b).map(([, each]) => each);
}

/**
 * The lines of a query (or of all, for -1) to a key (or to all).
 * @param {Lines} lines
 * @param {number} query
 * @param {number} key
 */
function linesOf(lines, query, key) {
  const found = [];
  for (let line = 0; line < lines.code.length; line++) {
    if ((query < 0 || lines.query[line] === query) && (key < 0 || lines.key[line] === key)) found.push(line);
  }
  return found;
}

/**
 * One side's words: what they are called, and the number of the first.
 * @typedef {object} Side
 * @property {string} called
 * @property {string[]} words
 * @property {number} first
 */

/**
 * A word in quotation marks, with what it is and its place.
 * @param {Side} side
 * @param {number} at
 */
function quote({ called, words, first }, at) {
  return fillIn("{called} {at} “{word}”", { called, at: first + at, word: words[at] ?? "" });
}

/**
 * Both sides of the flow of a text that looks at itself.
 * @param {string[]} words
 * @returns {[Side, Side]}
 */
export function bothSides(words) {
  return [{ called: "query", words, first: 0 }, { called: "key", words, first: 0 }];
}

/**
 * The lines between two words in a sentence; with -1 for one of them, the heaviest at the other.
 * @param {Lines} lines
 * @param {[Side, Side]} sides
 * @param {number} query
 * @param {number} key
 */
export function describeLines(lines, sides, query, key) {
  if (query >= lines.words || key >= lines.keys) return ""; // a word of a longer text, still pointed at
  if (query < 0 || key < 0) return describeHeaviest(lines, sides, query, key);
  const start = `${quote(sides[0], query)} gives ${quote(sides[1], key)}`;
  const between = linesOf(lines, query, key);
  if (lines.code[between[0] ?? lightest(lines, 0, query)] === CODES[8].blocked) return `${start} nothing: it is blocked`;
  const lineIn = lines.heads.map((_, i) => between.find((line) => lines.head[line] === i));
  if (lineIn.length === 1) {
    const share = describeShare(lines, lineIn[0]);
    return `${start} ${describeWeight(lines, lineIn[0], 0, query)} of its weight${share && `; its weighted value makes up ${share}, measured along it`}`;
  }
  const weightIn = (/** @type {number} */ i) => lines.weights[lineIn[i] ?? lightest(lines, i, query)];
  const first = [...lineIn.keys()].sort((a, b) => weightIn(b) - weightIn(a)).slice(0, MOST_READ);
  const parts = first.map((i) => {
    const share = describeShare(lines, lineIn[i]);
    return `${describeWeight(lines, lineIn[i], i, query)}${share && ` (${share})`} in head ${lines.heads[i]}`;
  });
  if (lineIn.length > MOST_READ) parts.push(`no more in the other ${lineIn.length - MOST_READ}`);
  return `${start} of its weight: ${parts.join("; ")}`;
}

/**
 * The lightest line of a head and query that was sent; the heaviest stand first. If it is blocked, so
 * are all keys that were not sent.
 * @param {Lines} lines
 * @param {number} head
 * @param {number} query
 */
function lightest(lines, head, query) {
  return (head * lines.words + query + 1) * lines.count - 1;
}

/**
 * A weight in words; one that was not sent is at most the lightest of its head and query that was.
 * @param {Lines} lines
 * @param {number | undefined} line
 * @param {number} head
 * @param {number} query
 */
function describeWeight(lines, line, head, query) {
  if (line !== undefined) return `about ${formatNumber(lines.weights[line])}`;
  return `at most ${formatNumber(lines.weights[lightest(lines, head, query)])}`;
}

/**
 * A line's share of the output in words; nothing where there is none, as of an output of zero.
 * @param {Lines} lines
 * @param {number | undefined} line
 */
function describeShare(lines, line) {
  const share = line === undefined ? NaN : (lines.shares?.[line] ?? NaN);
  return Number.isNaN(share) ? "" : `${formatShare(lines, share)} of the output`;
}

/**
 * Format a share with the digits that 8 bits leave it.
 * @param {Lines} lines
 * @param {number} share
 */
export function formatShare(lines, share) {
  return formatNumber(share, lines.limit <= 2 ? 2 : lines.limit <= 20 ? 1 : 0);
}

/**
 * The heaviest lines of a word.
 * @param {Lines} lines
 * @param {[Side, Side]} sides
 * @param {number} query
 * @param {number} key
 */
function describeHeaviest(lines, sides, query, key) {
  const there = linesOf(lines, query, key).filter((line) => levelOf(lines.code[line]));
  const first = there.sort((a, b) => lines.weights[b] - lines.weights[a]).slice(0, MOST_READ);
  const parts = first.map((line) => {
    const other = key < 0 ? quote(sides[1], lines.key[line]) : quote(sides[0], lines.query[line]);
    const head = lines.heads.length > 1 ? ` in head ${lines.heads[lines.head[line]]}` : "";
    return `${other} (about ${formatNumber(lines.weights[line])}${head})`;
  });
  const start = key < 0 ? `${quote(sides[0], query)} looks most at` : `${quote(sides[1], key)} gets most from`;
  if (!parts.length && lines.count < lines.keys) {
    return key < 0 ? `${start} nothing that is drawn` : `${quote(sides[1], key)} is among the heaviest keys of no query`;
  }
  return `${start} ${parts.join(", ") || "nothing"}`;
}
