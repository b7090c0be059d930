/** What differs between two states of a picture, in numbers and words. Nothing here touches the page. */

import { CODES, decode } from "./codes.js";
import { formatNumber, shortNumber } from "./text.js";

/** Cells that are blocked in one state alone: an opaque grey, marked where there is room. */
export const TURNED = (255 << 24) | (128 << 16) | (128 << 8) | 128;

const FIGURE_SPACE = "\u2007"; // as wide as a digit
const BEFORE_CHANGE = 16; // letters of a text that are told before the part that differs
const LONGEST_PART = 40;
const MOST_PIECES = 8; // that a sentence lists

/**
 * A difference of numbers: `values` are NaN where a cell is blocked in either state, and `limit` is
 * the largest absolute one.
 * @typedef {{ values: Float32Array, limit: number, blocked: number, freed: number }} Difference
 */

/**
 * Decode all codes; NaN where blocked.
 * @param {ArrayLike<number>} codes
 * @param {number} count
 * @param {Labs.Bits} bits
 * @param {Labs.Coding} coding
 */
export function decodeAll(codes, count, bits, coding) {
  const numbers = new Float32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = decode(codes[i], bits, coding);
  return numbers;
}

/**
 * Subtract the kept numbers from those of now, and count what is newly blocked and what is freed.
 * @param {Float32Array} now
 * @param {Float32Array} before - of the same length
 * @param {number} rounding - up to which a difference may be the coding's alone, and is taken as 0
 * @returns {Difference}
 */
export function subtract(now, before, rounding = 0) {
  const values = new Float32Array(now.length);
  let [limit, blocked, freed] = [0, 0, 0];
  for (let i = 0; i < now.length; i++) {
    const change = now[i] - before[i];
    values[i] = Math.abs(change) <= rounding ? 0 : change;
    if (Math.abs(values[i]) > limit) limit = Math.abs(values[i]);
    if (Number.isNaN(now[i]) !== Number.isNaN(before[i])) Number.isNaN(now[i]) ? blocked++ : freed++;
  }
  return { values, limit, blocked, freed };
}

/**
 * How far apart the codes of one number may lie on two scales: half a step of each. On one scale
 * they are the same.
 * @param {Labs.Bits} bits
 * @param {Labs.Coding} now
 * @param {Labs.Coding} before
 */
export function roundingOf(bits, now, before) {
  return now.limit === before.limit ? 0 : (now.limit + before.limit) / CODES[bits].top;
}

/**
 * Code differences for the signed scale, in 8 bits; NaN is coded as blocked.
 * @param {Float32Array} values
 * @param {number} limit
 */
export function differenceCodes(values, limit) {
  const { blocked, top } = CODES[8];
  const codes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const share = limit > 0 ? values[i] / limit : values[i] * 0;
    codes[i] = Number.isNaN(share) ? blocked : Math.round((share + 1) * (top / 2));
  }
  return codes;
}

/**
 * Which mark a cell carries that is blocked in one state alone.
 * @param {number} now
 * @param {number} before
 * @returns {"blocked" | "freed" | null}
 */
export function turned(now, before) {
  if (Number.isNaN(now) === Number.isNaN(before)) return null;
  return Number.isNaN(now) ? "blocked" : "freed";
}

/**
 * The legend of a difference in words.
 * @param {Difference} difference
 */
export function tellDifference({ limit, blocked, freed }) {
  const most = shortNumber(Number(limit.toPrecision(2)));
  return [
    limit > 0 ? `Difference: blue down to −${most}, orange up to +${most}` : blocked || freed ? "No number differs" : "Nothing differs",
    blocked && `✕ newly blocked (${blocked})`, freed && `○ no longer blocked (${freed})`,
  ].filter(Boolean).join("; ") + ".";
}

/**
 * Format a difference with its sign; one that is rounded to zero has none.
 * @param {number} value
 */
export function formatSigned(value, digits = 2) {
  const text = formatNumber(value, digits);
  return value > 0 && /[1-9∞]/.test(text) ? `+${text}` : text;
}

/**
 * A number as it is and was: "0.31, was 0.20 (+0.11)".
 * @param {number} now
 * @param {number} before
 * @param {number} digits
 * @param {number} change - if not the two numbers' own difference
 */
export function bothNumbers(now, before, digits = 2, change = now - before) {
  const [is, was] = [now, before].map((value) => (Number.isNaN(value) ? "blocked" : formatNumber(value, digits)));
  if (Number.isNaN(now) && Number.isNaN(before)) return "blocked, then and now";
  return Number.isNaN(change) ? `${is}, was ${was}` : `${is}, was ${was} (${formatSigned(change, digits)})`;
}

/**
 * A difference with its sign, as short as it can be told.
 * @param {number} value
 */
export function shortSigned(value) {
  return value > 0 ? `+${shortNumber(value)}` : shortNumber(value);
}

/**
 * A number as it is and was, as short as it can be told.
 * @param {number} now
 * @param {number} before
 */
export function bothShort(now, before) {
  return `${shortNumber(now)}, was ${shortNumber(before)} (${shortSigned(now - before)})`;
}

/**
 * A number with its difference behind it, always as wide: a column must not jump.
 * @param {number} now
 * @param {number | undefined} before - undefined where its row is new
 */
export function withDifference(now, before, digits = 2) {
  if (Number.isNaN(now)) return before === undefined || Number.isNaN(before) ? "" : `(was ${formatNumber(before, digits)})`;
  const change = before === undefined || Number.isNaN(before) ? "new" : formatSigned(now === before ? 0 : now - before, digits);
  return `${formatNumber(now, digits)} ${`(${change})`.padStart(digits + 6, FIGURE_SPACE)}`;
}

/**
 * Labels without the amounts that they tell: "anna × 0.44" is the row of "anna", "÷ 5.66" a column.
 * @param {string[]} labels
 */
export function withoutAmounts(labels) {
  return labels.map((label) => label.replace(/([×÷]) [\d.e+−-]+$/, "$1"));
}

/**
 * Why two lists of labels cannot be compared; "" where they can.
 * @param {string} what - "rows", say
 * @param {string[]} now
 * @param {string[]} before
 */
export function unlikeLabels(what, now, before) {
  if (now.length !== before.length) return `${now.length} ${what} now, ${before.length} then`;
  const [those, these] = [withoutAmounts(before), withoutAmounts(now)];
  // Where only some of many numbers are written, others may be written now.
  const same = these.every((label, i) => label === those[i] || !label || !those[i]);
  return same ? "" : `its ${what} are others now`;
}

/**
 * For each piece, the place of the same piece in the kept text; -1 for a new one. What stands in the
 * same order comes first; of the rest, pieces that have moved.
 * @param {string[]} now
 * @param {string[]} before
 */
export function matchPieces(now, before) {
  const matches = matchInOrder(now, before);
  const [taken, open] = [new Set(matches), now.flatMap((_, i) => (matches[i] < 0 ? [i] : []))];
  const rest = before.flatMap((_, j) => (taken.has(j) ? [] : [j]));
  matchLabels(open.map((i) => now[i]), rest.map((j) => before[j])).forEach((at, k) => {
    matches[open[k]] = at < 0 ? -1 : rest[at];
  });
  return matches;
}

/**
 * For each piece, its place in a longest common subsequence; -1 for none.
 * @param {string[]} now
 * @param {string[]} before
 */
function matchInOrder(now, before) {
  /** @type {number[]} */
  const matches = new Array(now.length).fill(-1);
  let start = 0;
  while (start < now.length && start < before.length && now[start] === before[start]) matches[start] = start++;
  let end = 0;
  while (end < Math.min(now.length, before.length) - start && now.at(-1 - end) === before.at(-1 - end)) {
    end++;
    matches[now.length - end] = before.length - end;
  }
  const middle = [now.slice(start, now.length - end), before.slice(start, before.length - end)];
  for (const [i, j] of longestCommon(middle[0], middle[1])) matches[start + i] = start + j;
  return matches;
}

/**
 * The pairs of places in a longest common subsequence.
 * @param {string[]} now
 * @param {string[]} before
 */
function longestCommon(now, before) {
  const across = before.length + 1;
  const longest = new Uint16Array((now.length + 1) * across); // of what lies behind each pair
  for (let i = now.length - 1; i >= 0; i--) {
    for (let j = before.length - 1; j >= 0; j--) {
      const at = i * across + j;
      longest[at] = now[i] === before[j] ? longest[at + across + 1] + 1 : Math.max(longest[at + across], longest[at + 1]);
    }
  }
  const pairs = [];
  for (let i = 0, j = 0; i < now.length && j < before.length;) {
    const at = i * across + j;
    if (now[i] === before[j]) pairs.push([i++, j++]);
    else if (longest[at + across] >= longest[at + 1]) i++;
    else j++;
  }
  return pairs;
}

/**
 * Name what is new and what is gone, in a sentence each.
 * @param {string[]} now
 * @param {string[]} before
 * @param {number[]} matches - for each of now, its place in before
 */
export function tellNewAndGone(now, before, matches) {
  const there = new Set(matches);
  const list = (/** @type {string} */ what, /** @type {string[]} */ words) => {
    const more = words.length - MOST_PIECES;
    return words.length ? `${what}: ${words.slice(0, MOST_PIECES).map((word) => `“${word}”`).join(", ")}${more > 0 ? ` and ${more} more` : ""}.` : "";
  };
  return [list("New", now.filter((_, i) => matches[i] < 0)), list("Gone", before.filter((_, i) => !there.has(i)))]
    .filter(Boolean).join(" ") || "No piece is new, none is gone.";
}

/**
 * Tell two texts by the part in which they differ.
 * @param {string} before
 * @param {string} now
 */
export function textChange(before, now) {
  const [was, is] = [[...before], [...now]];
  const same = was.findIndex((letter, i) => letter !== is[i]);
  const from = Math.max(0, (same < 0 ? was.length : same) - BEFORE_CHANGE);
  const part = (/** @type {string[]} */ letters) =>
    `“${from ? "…" : ""}${letters.slice(from, from + LONGEST_PART).join("")}${letters.length > from + LONGEST_PART ? "…" : ""}”`;
  return `${part(was)} → ${part(is)}`;
}

/**
 * The place of each label among the kept ones; -1 for a new one. The second of two equal labels is
 * the second of the kept ones too.
 * @param {string[]} now
 * @param {string[]} before
 */
export function matchLabels(now, before) {
  /** @type {Map<string, number[]>} */
  const places = new Map();
  before.forEach((label, i) => places.set(label, [...(places.get(label) ?? []), i]));
  return now.map((label) => places.get(label)?.shift() ?? -1);
}
