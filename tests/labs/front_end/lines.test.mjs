import assert from "node:assert/strict";
import { test } from "node:test";

import { bothSides, bundle, decodeLines, describeLines, LEVELS, levelOf, placeHeads, placeWords, tone } from "../../../course/labs/front/lines.js";
import { withProducts } from "../../../course/labs/front/table.js";

const WORDS = ["a", "b", "c"];
const bytes = (...numbers) => Uint8Array.from(numbers).buffer;
const half = Math.round(254 * Math.sqrt(0.5));
const every = () => true;

/** Two heads of three words: all keys of each. */
const whole = () => decodeLines({ weights: bytes(254, 255, 255, half, half, 255, 0, 0, 254, 254, 0, 0, 254, 0, 0, 254, 0, 0) }, [2, 5], 3, 3);

/** One head, its heaviest key of each query, with shares of which the last does not exist. */
const heaviest = () => decodeLines({
  weights: bytes(254, half, 100), keys: bytes(1, 2, 0), shares: bytes(254, 0, 255), limit: Float32Array.of(1.5).buffer,
}, [4], 3, 1);

test("lines that are all there need no keys", () => {
  const lines = whole();
  assert.deepEqual([...lines.head].join(""), "000000000111111111");
  assert.deepEqual([...lines.query].join(""), "000111222000111222");
  assert.deepEqual([...lines.key].join(""), "012012012012012012");
  assert.equal(lines.weights[0], 1);
  assert.ok(Number.isNaN(lines.weights[1]));
  assert.ok(Math.abs(lines.weights[3] - 0.5) < 0.003);
  assert.equal(lines.shares, null);
});

test("the heaviest lines have keys, and shares with a sign", () => {
  const lines = heaviest();
  assert.deepEqual([...lines.key], [1, 2, 0]);
  assert.deepEqual([...lines.shares], [1.5, -1.5, NaN]);
  assert.deepEqual([...lines.tones], [3, -3, 0]);
});

test("no lines are none", () => {
  assert.deepEqual(bundle(decodeLines({ weights: new ArrayBuffer(0) }, [], 0, 0), every), []);
});

test("a share's tone has its sign, and is 0 near zero", () => {
  assert.deepEqual([-1, -0.3, -0.2, -0.05, -0.01, 0, 0.019, 0.02, 0.1, 0.3, 7].map(tone), [-3, -3, -2, -1, 0, 0, 0, 1, 2, 3, 3]);
});

test("a level grows with the weight; blocked and zero have none", () => {
  assert.deepEqual([255, 0, 1, 254].map(levelOf), [0, 0, 1, LEVELS]);
  const levels = [...Array(255).keys()].map(levelOf);
  assert.ok(levels.every((level, i) => i === 0 || level >= levels[i - 1]));
});

test("lines that look alike are one bundle, the strongest last; none is blocked, none is lost", () => {
  const lines = whole();
  const bundles = bundle(lines, every);
  assert.equal(bundles.length, 3);
  assert.deepEqual(bundles.map(({ colour, level }) => [colour, level]), [[0, 8], [0, 10], [1, 10]]);
  assert.deepEqual(bundles.flatMap(({ members }) => members).sort((a, b) => a - b), [0, 3, 4, 8, 9, 12, 15]);
  assert.deepEqual(bundle(lines, (query) => query === 1).flatMap(({ members }) => members), [3, 4, 12]);
  assert.deepEqual(bundle(heaviest(), every).map(({ colour }) => colour), [0, -3, 3]);
});

test("however many lines there are, the bundles are few", () => {
  const weights = Uint8Array.from({ length: 12 * 32 * 32 }, (_, i) => (i * 7) % 255).buffer;
  assert.equal(bundle(decodeLines({ weights }, [...Array(12).keys()], 32, 32), every).length, 12 * LEVELS);
});

test("words are no higher than a screen, and readable where they are few", () => {
  assert.equal(placeWords(3), 20);
  for (const count of [1, 29, 64, 128]) assert.ok(placeWords(count) * count <= 585, String(count));
});

test("heads lie side by side within a word", () => {
  assert.deepEqual(placeHeads(1, 20), [0]);
  assert.deepEqual(placeHeads(3, 20), [-3, 0, 3]);
  const close = placeHeads(16, 5);
  assert.ok(Math.max(...close) - Math.min(...close) <= 3);
});

test("a line is read in a sentence: blocked, sent, not sent, of several heads", () => {
  assert.equal(describeLines(whole(), bothSides(WORDS), 0, 0), "query 0 “a” gives key 0 “a” of its weight: about 1.00 in head 2; about 1.00 in head 5");
  const one = decodeLines({ weights: bytes(254, 255, 255, half, half, 255, 0, 0, 254) }, [2], 3, 3);
  assert.equal(describeLines(one, bothSides(WORDS), 0, 1), "query 0 “a” gives key 1 “b” nothing: it is blocked");
  assert.equal(describeLines(one, bothSides(WORDS), 1, 0), "query 1 “b” gives key 0 “a” about 0.50 of its weight");
  assert.equal(describeLines(heaviest(), bothSides(WORDS), 1, 0), "query 1 “b” gives key 0 “a” at most 0.50 of its weight");
  assert.equal(
    describeLines(heaviest(), bothSides(WORDS), 0, 1),
    "query 0 “a” gives key 1 “b” about 1.00 of its weight; its weighted value makes up 1.50 of the output, measured along it",
  );
  assert.equal(describeLines(heaviest(), bothSides(WORDS), 2, 0), "query 2 “c” gives key 0 “a” about 0.16 of its weight"); // the output is zero
});

test("a key that was not sent is blocked where fewer are free than were sent", () => {
  const lines = decodeLines({ weights: bytes(254, 255, 200, 100, 200, 100), keys: bytes(0, 1, 0, 1, 1, 0) }, [2], 3, 2);
  assert.ok(describeLines(lines, bothSides(WORDS), 0, 2).endsWith("nothing: it is blocked"));
  assert.ok(describeLines(lines, bothSides(WORDS), 1, 2).endsWith("at most 0.16 of its weight"));
});

test("of many heads the heaviest are read", () => {
  const four = decodeLines({ weights: bytes(100, 254, 50, half) }, [0, 3, 5, 7], 1, 1);
  assert.equal(
    describeLines(four, bothSides(WORDS), 0, 0),
    "query 0 “a” gives key 0 “a” of its weight: about 1.00 in head 3; about 0.50 in head 7; about 0.16 in head 0; no more in the other 1",
  );
});

test("a word is read with its heaviest lines", () => {
  const one = decodeLines({ weights: bytes(254, 255, 255, half, half, 255, 0, 0, 254) }, [2], 3, 3);
  assert.equal(describeLines(one, bothSides(WORDS), 1, -1), "query 1 “b” looks most at key 0 “a” (about 0.50), key 1 “b” (about 0.50)");
  assert.equal(describeLines(one, bothSides(WORDS), -1, 0), "key 0 “a” gets most from query 0 “a” (about 1.00), query 1 “b” (about 0.50)");
  const none = decodeLines({ weights: bytes(255, 255, 255, 255) }, [2], 2, 2);
  assert.equal(describeLines(none, bothSides(WORDS), 0, -1), "query 0 “a” looks most at nothing");
});

test("a word from right to left keeps the sentence in order", () => {
  const read = describeLines(whole(), bothSides(["של", "b", "c"]), 0, 0);
  assert.ok(read.startsWith("query 0 “\u2068של\u2069” gives key 0 “\u2068של\u2069” of its weight"));
});

test("a column that is the one before times a number is filled in", () => {
  const all = withProducts(Float32Array.of(2, 9, -4, 8), [{ label: "a" }, { label: "half", times: 0.5 }, { label: "b" }]);
  assert.deepEqual([...all], [2, 1, 9, -4, -2, 8]);
});

test("a word that a shorter text no longer has is said nothing of", () => {
  for (const [query, key] of [[3, 1], [1, 3], [5, -1], [-1, 5]]) assert.equal(describeLines(heaviest(), bothSides(WORDS), query, key), "");
  assert.notEqual(describeLines(heaviest(), bothSides(WORDS), 2, 1), "");
});

test("two sides of different length have names and numbers of their own", () => {
  const lines = decodeLines({ weights: bytes(254, 0, 255, 0, 254, 255) }, [0], 2, 3, 3); // two steps, three characters
  /** @type {Parameters<typeof describeLines>[1]} */
  const sides = [{ called: "step", words: ["x", "y"], first: 1 }, { called: "character", words: WORDS, first: 1 }];
  assert.equal(describeLines(lines, sides, 1, 1), "step 2 “y” gives character 2 “b” about 1.00 of its weight");
  assert.equal(describeLines(lines, sides, 0, 2), "step 1 “x” gives character 3 “c” nothing: it is blocked");
  assert.equal(describeLines(lines, sides, -1, 0), "character 1 “a” gets most from step 1 “x” (about 1.00)");
  assert.equal(describeLines(lines, sides, 2, 0), ""); // a step of a longer text
});
