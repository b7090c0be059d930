import assert from "node:assert/strict";
import { test } from "node:test";

import { stationAt, stepTo } from "../../../course/labs/front/journey.js";

/** Two stations before the layers, three of layer 2 (steps 40 to 49), one after; others in between. */
const STATIONS = [[0, 2], [3, 7], [40, 45], [46, 46], [47, 49], [90, 91]].map((steps) => ({ steps }));

test("a step belongs to the last station that begins at or before it", () => {
  assert.deepEqual([0, 2, 3, 40, 45, 46, 49, 91].map((step) => stationAt(STATIONS, step)), [0, 0, 1, 2, 2, 3, 4, 5]);
});

test("keys go to the first step of the next station and of the one before", () => {
  const to = (key, step) => stepTo(key, STATIONS, step, 91);
  assert.equal(to("ArrowRight", 1), 3);
  assert.equal(to("ArrowRight", 41), 46);
  assert.equal(to("ArrowLeft", 48), 46);
  assert.equal(to("ArrowLeft", 4), 0);
  assert.deepEqual([to("ArrowDown", 41), to("ArrowUp", 41), to("ArrowUp", 0), to("ArrowDown", 91)], [42, 40, 0, 91]);
  assert.equal(to("Home", 48), 0);
  assert.equal(to("End", 48), 91);
  assert.equal(to("x", 48), null);
});

test("keys go on into layers that are not drawn", () => {
  assert.equal(stepTo("ArrowRight", STATIONS, 49, 91), 50);
  assert.equal(stepTo("ArrowLeft", STATIONS, 44, 91), 39);
});

test("nothing lies before the first step and after the last", () => {
  assert.equal(stepTo("ArrowLeft", STATIONS, 1, 91), 0);
  assert.equal(stepTo("ArrowRight", STATIONS, 91, 91), 91);
});
