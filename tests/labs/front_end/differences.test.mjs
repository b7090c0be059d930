import assert from "node:assert/strict";
import { test } from "node:test";

import {
  bothNumbers, bothShort, decodeAll, differenceCodes, formatSigned, matchLabels, matchPieces, roundingOf, subtract, tellDifference,
  tellNewAndGone, textChange, turned, unlikeLabels, withDifference,
} from "../../../course/labs/front/differences.js";

const floats = (...numbers) => Float32Array.from(numbers);

test("a difference has a sign, unless it is rounded to zero", () => {
  const cases = [
    [0.11, 2, "+0.11"], [-0.11, 2, "−0.11"], [0, 2, "0.00"], [-0, 2, "0.00"], [0.001, 2, "0.00"], [-0.001, 2, "0.00"],
    [0.001, 3, "+0.001"], [Infinity, 2, "+∞"], [-Infinity, 2, "−∞"], [12345, 0, "+1.2e+4"],
  ];
  for (const [value, digits, text] of cases) assert.equal(formatSigned(value, digits), text);
});

test("a number is told as it is and was", () => {
  assert.equal(bothNumbers(0.31, 0.2), "0.31, was 0.20 (+0.11)");
  assert.equal(bothNumbers(0.2, 0.31), "0.20, was 0.31 (−0.11)");
  assert.equal(bothNumbers(0.2, 0.2), "0.20, was 0.20 (0.00)");
  assert.equal(bothNumbers(NaN, 0.2), "blocked, was 0.20");
  assert.equal(bothNumbers(0.2, NaN), "0.20, was blocked");
  assert.equal(bothNumbers(NaN, NaN), "blocked, then and now");
  assert.equal(bothShort(1e-7, 3e-7), "1e−7, was 3e−7 (−2e−7)");
  assert.equal(bothShort(2, 1.5), "2, was 1.5 (+0.5)");
});

test("a table's number keeps its width, whatever its difference", () => {
  const cells = [withDifference(0.31, 0.2), withDifference(0.31, 0.31), withDifference(0.31, 12.5), withDifference(0.31, undefined)];
  assert.deepEqual(cells.map((text) => text.replaceAll("\u2007", "")), ["0.31 (+0.11)", "0.31 (0.00)", "0.31 (−12.19)", "0.31 (new)"]);
  assert.equal(new Set(cells.map((text) => text.length)).size, 1);
  assert.equal(withDifference(NaN, NaN), "");
  assert.match(withDifference(-Infinity, -Infinity), /^−∞ \u2007*\(0\.00\)$/);
  assert.equal(withDifference(NaN, 0.5), "(was 0.50)");
});

test("differences know the largest, and what is blocked in one state alone", () => {
  const difference = subtract(floats(0.5, NaN, 0.25, NaN), floats(0.25, 0.5, NaN, NaN));
  assert.deepEqual([...difference.values], [0.25, NaN, NaN, NaN]);
  assert.deepEqual([difference.limit, difference.blocked, difference.freed], [0.25, 1, 1]);
  assert.deepEqual([turned(NaN, 1), turned(1, NaN), turned(NaN, NaN), turned(1, 2)], ["blocked", "freed", null, null]);
  assert.equal(tellDifference(difference), "Difference: blue down to −0.25, orange up to +0.25; ✕ newly blocked (1); ○ no longer blocked (1).");
  assert.equal(tellDifference(subtract(floats(1), floats(1))), "Nothing differs.");
  assert.equal(tellDifference(subtract(floats(1, NaN), floats(1, 2))), "No number differs; ✕ newly blocked (1).");
});

test("differences are coded on the signed scale, zero in its middle", () => {
  assert.deepEqual([...differenceCodes(floats(-2, 0, -0, 1, 2, NaN), 2)], [0, 127, 127, 191, 254, 255]);
  assert.deepEqual([...differenceCodes(floats(0, NaN), 0)], [127, 255]);
});

test("two codings with limits of their own are compared as numbers", () => {
  const before = decodeAll([254, 127, 255], 3, 8, { scale: "signed", limit: 2 });
  const now = decodeAll([254, 127, 0], 3, 8, { scale: "signed", limit: 4 });
  assert.deepEqual([...subtract(now, before).values], [2, 0, NaN]);
  assert.equal(roundingOf(8, { scale: "signed", limit: 2 }, { scale: "signed", limit: 2 }), 0);
  const rounding = roundingOf(8, { scale: "signed", limit: 2 }, { scale: "signed", limit: 3 });
  for (const number of [-1.99, -0.3, 0.017, 1.5]) { // the same number on both scales
    const coded = [2, 3].map((limit) => decodeAll([Math.round((number / limit + 1) * 127)], 1, 8, { scale: "signed", limit }));
    assert.deepEqual([...subtract(coded[0], coded[1], rounding).values], [0]);
  }
});

test("labels that can't be compared are told from those that can", () => {
  assert.equal(unlikeLabels("rows", ["a", "b"], ["a", "b"]), "");
  assert.equal(unlikeLabels("rows", ["a × 0.25"], ["a × 0.5"]), "");
  assert.equal(unlikeLabels("columns", ["÷ 5.66", "2"], ["÷ 11.3", "2"]), "");
  assert.equal(unlikeLabels("columns", ["1"], ["2"]), "its columns are others now");
  assert.equal(unlikeLabels("rows", ["a"], ["a", "b"]), "1 rows now, 2 then");
  assert.equal(unlikeLabels("columns", ["a", "c"], ["a", "b"]), "its columns are others now");
});

test("two texts are told by the part in which they differ", () => {
  assert.equal(textChange("a cat", "a cats"), "“a cat” → “a cats”");
  assert.equal(textChange("", "x"), "“” → “x”");
  assert.equal(textChange("Tokenization splits unknown words.", "Tokenization splits unknown words?"), "“…ts unknown words.” → “…ts unknown words?”");
  assert.equal(textChange("b" + "a".repeat(60), "c"), `“b${"a".repeat(39)}…” → “c”`);
  assert.equal(textChange("😀", "😀x"), "“😀” → “😀x”");
});

test("rows are matched by their labels, equal ones in their order", () => {
  assert.deepEqual(matchLabels(["b", "a", "a", "c", "a"], ["a", "b", "a"]), [1, 0, 2, -1, -1]);
});

test("pieces are matched in their order first, then where they have moved", () => {
  const match = (now, before) => matchPieces(now.split(" "), before.split(" "));
  assert.deepEqual(match("the cat sat", "the cat sat"), [0, 1, 2]);
  assert.deepEqual(match("the the cat sat", "the cat sat"), [0, -1, 1, 2]);
  assert.deepEqual(match("a x b c", "a b c"), [0, -1, 1, 2]);
  assert.deepEqual(match("anna saw peter", "peter saw anna").sort(), [0, 1, 2]);
  assert.deepEqual(match("p q", "x y z"), [-1, -1]);
  assert.deepEqual(matchPieces([], ["a"]), []);
  assert.deepEqual(match("b z d a c", "a b y d c"), [1, -1, 3, 0, 4]);
});

test("what is new and what is gone is named, up to a length", () => {
  const tell = (now, before) => tellNewAndGone(now.split(" "), before.split(" "), matchPieces(now.split(" "), before.split(" ")));
  assert.equal(tell("a b", "a c"), "New: “b”. Gone: “c”.");
  assert.equal(tell("a b", "b a"), "No piece is new, none is gone.");
  assert.equal(tell("a b c d e f g h i j", "z"), "New: “a”, “b”, “c”, “d”, “e”, “f”, “g”, “h” and 2 more. Gone: “z”.");
});
