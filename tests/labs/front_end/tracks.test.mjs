import assert from "node:assert/strict";
import { test } from "node:test";

import { lastNotAfter, nextMoment, spread, Track } from "../../../course/labs/front/tracks.js";

const chunk = (from, upto, count, measured, ...numbers) => [{ from, upto, count, measured }, Float32Array.from(numbers)];

test("a track grows by chunks, and takes nothing twice", () => {
  const track = new Track(5);
  assert.ok(track.take(...chunk(0, 2, 2, 1, 1, 2, 4, 3, 2, 0.5)));
  assert.ok(track.take(...chunk(1, 3, 2, 1, 2, 3, 3, 2, 2, 0.5)));
  assert.deepEqual([track.steps, track.losses, track.at], [[1, 2, 3], [4, 3, 2], [2]]);
  assert.equal(track.known, 3);
});

test("a chunk that leaves a gap is not taken", () => {
  const track = new Track(5);
  assert.equal(track.take(...chunk(4, 5, 1, 0, 5, 1)), false);
  assert.deepEqual(track.steps, []);
});

test("a constant loss is smoothed to itself, and NaN leaves it as it was", () => {
  const track = new Track(5);
  track.take(...chunk(0, 3, 3, 0, 1, 2, 3, 2, NaN, 2));
  assert.deepEqual(track.smooth, [2, 2, 2]);
  assert.equal(track.read(0), null);
  assert.equal(track.read(9).loss, 2);
});

test("keys lead along the kept moments", () => {
  const moments = [0, 10, 20, 30, 40, 50, 60];
  assert.equal(nextMoment("ArrowRight", false, 12, moments, 65), 20);
  assert.equal(nextMoment("ArrowLeft", false, 12, moments, 65), 10);
  assert.equal(nextMoment("ArrowLeft", true, 12, moments, 65), 11);
  assert.equal(nextMoment("PageUp", false, 0, moments, 65), 50);
  assert.equal(nextMoment("End", false, 0, moments, 65), 65);
  assert.equal(nextMoment("a", false, 0, moments, 65), null);
});

test("places are spread with the last among them", () => {
  assert.deepEqual(spread(5, 10), [0, 1, 2, 3, 4]);
  assert.equal(spread(1000, 30).at(-1), 999);
  assert.ok(spread(1000, 30).length <= 30);
  assert.equal(lastNotAfter([1, 3, 5], 4), 1);
});
