import assert from "node:assert/strict";
import { test } from "node:test";

import { cellsBetween } from "../../../course/labs/front/matrix.js";
import { CONTINUES, placePieces, STARTS_LINE } from "../../../course/labs/front/tokens.js";

test("a drag leaves no holes", () => {
  assert.deepEqual(cellsBetween(0, 0, 0, 0), [[0, 0], [0, 0]]);
  assert.deepEqual(cellsBetween(0, 0, 2, 4), [[0, 0], [1, 1], [1, 2], [2, 3], [2, 4]]);
  const cells = cellsBetween(9, 1, 2, 30);
  assert.deepEqual([cells[0], cells.at(-1)], [[9, 1], [2, 30]]);
  for (let i = 1; i < cells.length; i++) {
    assert.ok(Math.abs(cells[i][0] - cells[i - 1][0]) <= 1 && Math.abs(cells[i][1] - cells[i - 1][1]) <= 1);
  }
});

test("pieces of one word touch, words have a gap", () => {
  const boxes = placePieces([20, 20, 20], [0, CONTINUES, 0], 500);
  assert.deepEqual(boxes.map(({ x }) => x), [2, 22, 47]);
  assert.deepEqual(boxes.map(({ word }) => word), [0, 0, 1]);
  assert.deepEqual(boxes.map(({ y }) => y), [2, 2, 2]);
});

test("a line is broken where it is full and where a piece starts one", () => {
  const boxes = placePieces([60, 60, 10], [0, 0, STARTS_LINE], 100);
  assert.deepEqual(boxes.map(({ x, y }) => [x, y]), [[2, 2], [2, 50], [2, 98]]);
  assert.deepEqual(placePieces([900], [0], 100), [{ x: 2, y: 2, width: 94, word: 0 }]);
});
