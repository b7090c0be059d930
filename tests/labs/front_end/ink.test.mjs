import assert from "node:assert/strict";
import { test } from "node:test";

import { BRUSH, DARKEST, distanceTo, ERASER, inkChange, patchAt, PEN, softInk, stroke } from "../../../course/labs/front/ink.js";

const SIDE = 8;
const blank = new Uint8Array(SIDE * SIDE);
const at = (levels, row, column) => levels[row * SIDE + column];
const middle = (row, column) => [column + 0.5, row + 0.5];

test("a point's distance from a line, from its ends, and from a point", () => {
  assert.equal(distanceTo([2, 3], [0, 0], [4, 0]), 3);
  assert.equal(distanceTo([7, 4], [0, 0], [4, 0]), 5);
  assert.equal(distanceTo([3, 4], [0, 0], [0, 0]), 5);
});

test("ink is full in the middle, less beside it, and none further away", () => {
  assert.equal(softInk(0, 16), 16);
  assert.ok(softInk(1, 16) > 0 && softInk(1, 16) < 8);
  assert.equal(softInk(1.5, 16), 0);
  assert.ok(softInk(1, 8) < softInk(1, 16));
});

test("a brush darkens the neighbours a little, and never lightens", () => {
  const drawn = stroke(blank, SIDE, middle(3, 3), middle(3, 3), BRUSH, DARKEST);
  assert.equal(at(drawn, 3, 3), DARKEST);
  const beside = [[2, 3], [4, 3], [3, 2], [3, 4]].map(([row, column]) => at(drawn, row, column));
  assert.deepEqual(new Set(beside), new Set([softInk(1, DARKEST)]));
  assert.equal(at(drawn, 2, 2), 0);
  assert.equal(blank.some(Boolean), false);
  const again = stroke(drawn, SIDE, middle(3, 3), middle(3, 3), BRUSH, 4);
  assert.deepEqual(again, drawn);
});

test("a fast stroke leaves no holes, and its way back the same ink", () => {
  const drawn = stroke(blank, SIDE, middle(1, 1), middle(6, 6), BRUSH, DARKEST);
  for (let i = 1; i <= 6; i++) assert.equal(at(drawn, i, i), DARKEST);
  assert.deepEqual(stroke(blank, SIDE, middle(6, 6), middle(1, 1), BRUSH, DARKEST), drawn);
  const fine = stroke(blank, SIDE, middle(0, 2), middle(7, 2), PEN, 9);
  assert.deepEqual([...fine].filter(Boolean), Array(8).fill(9));
});

test("a fine pen sets its level, lighter ones too, and stays in the picture", () => {
  const full = new Uint8Array(SIDE * SIDE).fill(DARKEST);
  assert.equal(at(stroke(full, SIDE, [2.9, 5.1], [2.9, 5.1], PEN, 3), 5, 2), 3);
  const outside = stroke(blank, SIDE, middle(7, 7), [40, 40], PEN, 5);
  assert.deepEqual([...outside].filter(Boolean), [5]);
});

test("an eraser takes what the brush gives", () => {
  const full = new Uint8Array(SIDE * SIDE).fill(DARKEST);
  const erased = stroke(full, SIDE, middle(3, 3), middle(3, 3), ERASER, 1);
  assert.equal(at(erased, 3, 3), 0);
  assert.equal(at(erased, 3, 4), DARKEST - softInk(1, DARKEST));
  assert.equal(at(erased, 3, 5), DARKEST);
  assert.deepEqual(stroke(blank, SIDE, middle(3, 3), middle(3, 3), ERASER, 1), blank);
});

test("ink that came and went is counted in full pixels, each by itself", () => {
  assert.deepEqual(inkChange([16, 0, 4], [8, 16, 4]), { added: 0.5, removed: 1 });
});

test("pixels belong to patches row by row", () => {
  assert.deepEqual([[0, 0], [1, 1], [0, 2], [2, 0], [7, 7]].map(([row, column]) => patchAt(row, column, 2, SIDE)), [0, 0, 1, 4, 15]);
  assert.equal(patchAt(7, 7, 1, SIDE), 63);
  assert.equal(patchAt(7, 7, 8, SIDE), 0);
});
