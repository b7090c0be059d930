/** Ink on a small image: what a brush, a pen and an eraser leave. Nothing here touches the page. */

import { cellsBetween } from "./matrix.js";
import { clamp } from "./text.js";

/** The level of full ink; 0 is paper. */
export const DARKEST = 16;

/** The tools by number, as in course/labs/vision/form.py. */
export const BRUSH = 0;

export const PEN = 1;

export const ERASER = 2;

const CORE = 0.4; // pixels from the stroke that get all of the ink

const REACH = 1.35; // and from here on they get none

/**
 * A place in an image, in pixels from its corner.
 * @typedef {[number, number]} Point
 */

/**
 * The ink that a soft brush leaves at a distance from the middle of its stroke.
 * @param {number} distance - in pixels
 * @param {number} level - in the middle
 */
export function softInk(distance, level) {
  return Math.round(level * clamp((REACH - distance) / (REACH - CORE), 0, 1));
}

/**
 * The distance of a point from a straight line between two.
 * @param {Point} point
 * @param {Point} from
 * @param {Point} to
 */
export function distanceTo([x, y], [fromX, fromY], [toX, toY]) {
  const [alongX, alongY] = [toX - fromX, toY - fromY];
  const squared = alongX * alongX + alongY * alongY;
  const share = squared ? clamp(((x - fromX) * alongX + (y - fromY) * alongY) / squared, 0, 1) : 0;
  return Math.hypot(x - fromX - share * alongX, y - fromY - share * alongY);
}

/**
 * The levels after a straight stroke.
 * @param {ArrayLike<number>} levels - row by row
 * @param {number} side - pixels in a row
 * @param {Point} from
 * @param {Point} to
 * @param {number} tool
 * @param {number} level
 */
export function stroke(levels, side, from, to, tool, level) {
  const next = Uint8Array.from(levels);
  if (tool === PEN) {
    const [row, column, toRow, toColumn] = [from[1], from[0], to[1], to[0]].map((place) => clamp(Math.floor(place), 0, side - 1));
    for (const [r, c] of cellsBetween(row, column, toRow, toColumn)) next[r * side + c] = level;
    return next;
  }
  for (let i = 0; i < next.length; i++) {
    const distance = distanceTo([(i % side) + 0.5, Math.floor(i / side) + 0.5], from, to);
    next[i] = tool === ERASER ? Math.min(next[i], DARKEST - softInk(distance, DARKEST)) : Math.max(next[i], softInk(distance, level));
  }
  return next;
}

/**
 * How much ink came and went between two drawings, in pixels of full ink.
 * @param {ArrayLike<number>} now
 * @param {ArrayLike<number>} before
 */
export function inkChange(now, before) {
  let [added, removed] = [0, 0];
  for (let i = 0; i < now.length; i++) {
    const change = now[i] - before[i];
    if (change > 0) added += change / DARKEST;
    else removed -= change / DARKEST;
  }
  return { added, removed };
}

/**
 * The patch that a pixel is in.
 * @param {number} row
 * @param {number} column
 * @param {number} patch - the side of one
 * @param {number} side - of the image
 */
export function patchAt(row, column, patch, side) {
  return Math.floor(row / patch) * (side / patch) + Math.floor(column / patch);
}
