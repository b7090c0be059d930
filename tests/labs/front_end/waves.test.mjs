import assert from "node:assert/strict";
import { test } from "node:test";

import { fromPcm, samplesAt, thinWords, TimeAxis, toPcm } from "../../../course/labs/front/waves.js";

test("samples become 16 bits, little-endian, and come back", () => {
  const samples = Float32Array.from([0, 0.5, -0.5, 1, -1, 3, -3]);
  const bytes = toPcm(samples);
  assert.deepEqual([...bytes.slice(0, 4)], [0, 0, 0x00, 0x40]);
  const back = fromPcm(bytes.buffer);
  [0, 0.5, -0.5, 1, -1, 1, -1].forEach((sample, i) => assert.ok(Math.abs(back[i] - sample) <= 0.5 / 32767 + 1e-7));
});

test("a recording has as many samples as its seconds at the new rate, and no more than allowed", () => {
  assert.equal(samplesAt(1.5, 8000, 5), 12000);
  assert.equal(samplesAt(9, 8000, 5), 40000);
  assert.equal(samplesAt(0, 8000, 5), 1);
});

test("frames lie side by side along the seconds, and a pixel leads back to its frame", () => {
  const axis = new TimeAxis(60, 500, 1, 0.04, 24); // the last 40 ms have no frame of their own
  assert.deepEqual([axis.at(0), axis.at(0.5), axis.at(1), axis.at(2)], [60, 310, 560, 560]);
  assert.deepEqual(axis.span(0).map(Math.round), [60, 80]);
  assert.deepEqual(axis.span(23).map(Math.round), [520, 540]);
  for (let frame = 0; frame < 24; frame++) assert.equal(axis.frameAt(axis.at(axis.middle(frame))), frame);
  assert.equal(axis.frameAt(559), 23);
  assert.equal(axis.frameAt(59), null);
  assert.equal(axis.frameAt(561), null);
});

test("seconds are written where there is room", () => {
  assert.deepEqual(new TimeAxis(0, 500, 1, 0.04, 25).ticks(100), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(new TimeAxis(0, 200, 5, 0.04, 125).ticks(44), [0, 2, 4]);
  assert.deepEqual(new TimeAxis(0, 500, 0, 0.04, 1).ticks(44), [0]);
});

test("words that would run into one another are left out", () => {
  const words = [["a", 10], ["b", 20], ["c", 40]].map(([word, x]) => ({ word, x, width: 12 }));
  assert.deepEqual(thinWords(words).map(({ word }) => word), ["a", "c"]);
});
