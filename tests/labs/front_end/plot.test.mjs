import assert from "node:assert/strict";
import { test } from "node:test";

import { labelPlaces } from "../../../course/labs/front/plot.js";

test("a label stands beside its point first, or above it and below it only", () => {
  const beside = labelPlaces(100, 50, 40);
  assert.deepEqual(beside[0], [108, 50]);
  assert.equal(beside.length, 4);
  assert.deepEqual(labelPlaces(100, 50, 40, { left: 0, right: 200 }), [[80, 36], [80, 64]]);
});

test("a label above its point stays within the frame", () => {
  assert.deepEqual(labelPlaces(195, 50, 40, { left: 0, right: 200 })[0], [160, 36]);
  assert.deepEqual(labelPlaces(5, 50, 40, { left: 0, right: 200 })[0], [0, 36]);
  assert.deepEqual(labelPlaces(5, 50, 400, { left: 0, right: 200 })[0], [0, 36]);
});
