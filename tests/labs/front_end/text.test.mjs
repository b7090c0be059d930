import assert from "node:assert/strict";
import { test } from "node:test";

import { clamp, fillIn, formatNumber, sameValue, shortNumber, wrapWords } from "../../../course/labs/front/text.js";

test("numbers have fixed digits and real signs", () => {
  const cases = [
    [1.005, 2, "1.00"], [-0.5, 2, "−0.50"], [-0.001, 2, "0.00"], [3, 0, "3"], [12345, 2, "1.2e+4"],
    [NaN, 2, "–"], [Infinity, 2, "∞"], [-Infinity, 2, "−∞"],
  ];
  for (const [value, digits, text] of cases) assert.equal(formatNumber(value, digits), text);
  assert.equal(formatNumber(0.126), "0.13");
});

test("short numbers have four digits at most and no tail of zeros", () => {
  const cases = [
    [0, "0"], [0.1 + 0.2, "0.3"], [1234.56, "1235"], [-2.5, "−2.5"], [1e6, "1e6"], [-0.00001234, "−1.23e−5"], [NaN, "–"],
  ];
  for (const [value, text] of cases) assert.equal(shortNumber(value), text);
});

test("places of a sentence are filled, each time they are there", () => {
  assert.equal(fillIn("{i}: “{row}”, {i}", { i: 0, row: "$&" }), "0: “$&”, 0");
});

test("JSON values are compared by what they hold", () => {
  assert.ok(sameValue([1, { a: null }], [1, { a: null }]));
  assert.ok(!sameValue([1, 2], [2, 1]));
  assert.ok(!sameValue("1", 1));
});

test("a number is kept between two", () => {
  assert.deepEqual([-1, 2, 9].map((value) => clamp(value, 0, 5)), [0, 2, 5]);
});

test("words are wrapped, and a word that is too wide has a line of its own", () => {
  const wrap = (text, width) => wrapWords(text, width, (line) => line.length);
  assert.deepEqual(wrap("one two three", 7), ["one two", "three"]);
  assert.deepEqual(wrap("a incomprehensible b", 5), ["a", "incomprehensible", "b"]);
  assert.deepEqual(wrap("", 5), [""]);
});

test("a word from right to left is isolated in a sentence, once", () => {
  const sentence = "{i}: “{piece}”";
  assert.equal(fillIn(sentence, { i: 3, piece: "cat" }), "3: “cat”");
  assert.equal(fillIn(sentence, { i: 3, piece: "של" }), "3: “\u2068של\u2069”");
  assert.equal(fillIn(sentence, { i: 3, piece: "\u2069سلام" }), "3: “\u2068سلام\u2069”");
});
