import assert from "node:assert/strict";
import { test } from "node:test";

import { labelPlaces } from "../../../course/labs/front/plot.js";

test("a label stands beside its point first, or above it and below it only", () => {
  const beside = labelPlaces(100, 50, 40);
  assert.deepEqual(beside[0], [108, 50]);
  const above = labelPlaces(100, 50, 40, true);
  assert.deepEqual(above[0], [80, 36]);
  assert.ok(above.every(([, middle]) => middle !== 50));
  assert.equal(beside.length, 4);
});
