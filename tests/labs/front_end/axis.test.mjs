import assert from "node:assert/strict";
import { test } from "node:test";

import { Axis, equalise } from "../../../course/labs/front/axis.js";

const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

test("given ends lie at the ends, and the others have a margin of a twentieth", () => {
  const given = new Axis({ least: 0, most: 10 }, [3, 4], 100, 300);
  assert.deepEqual([0, 5, 10].map((number) => given.at(number)), [100, 200, 300]);
  const own = new Axis({}, [0, 10, NaN], 0, 110);
  near(own.at(0), 5);
  near(own.at(10), 105);
});

test("an axis may run upwards", () => {
  const axis = new Axis({ least: 0, most: 1 }, [], 200, 20);
  assert.deepEqual([axis.at(0), axis.at(1)], [200, 20]);
});

test("one number, or none, still has room around it", () => {
  for (const numbers of [[7], [], [NaN]]) {
    const axis = new Axis({}, numbers, 0, 100);
    assert.ok(axis.most > axis.least);
    assert.ok(axis.ticks(20).length > 1);
  }
});

test("ticks are round numbers within the axis", () => {
  const axis = new Axis({ least: 0, most: 1 }, [], 0, 300);
  assert.deepEqual(axis.ticks(60).map(([, text]) => text), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
  const whole = new Axis({ least: 0, most: 3, whole: true }, [], 0, 600);
  assert.deepEqual(whole.ticks(20).map(([, text]) => text), ["0", "1", "2", "3"]);
  const large = new Axis({ least: 0, most: 4e6 }, [], 0, 200);
  assert.deepEqual(large.ticks(100).map(([, text]) => text), ["0", "2e6", "4e6"]);
});

test("logarithmic axes have ticks at powers of ten, and numbers below zero have no place", () => {
  const axis = new Axis({ log: true, least: 1, most: 1000 }, [], 0, 300);
  near(axis.at(10), 100);
  assert.ok(Number.isNaN(axis.at(0)));
  assert.ok(Number.isNaN(axis.at(-1)));
  assert.deepEqual(axis.ticks(60).map(([number]) => number), [1, 10, 100, 1000]);
  assert.deepEqual(axis.ticks(20).slice(0, 4).map(([number]) => number), [1, 2, 5, 10]);
  const narrow = new Axis({ log: true, least: 2, most: 4 }, [], 0, 300);
  for (const [number] of narrow.ticks(60)) assert.ok(number > 2 && number < 4);
});

test("given ticks are thinned where they would touch, and left out beyond the ends", () => {
  const ticks = Array.from({ length: 12 }, (_, i) => [i, `t${i}`]);
  const axis = new Axis({ least: 0, most: 9, ticks }, [], 0, 100);
  assert.deepEqual(axis.ticks(30).map(([, text]) => text), ["t0", "t3", "t6", "t9"]);
  assert.equal(axis.ticks(1).length, 10);
});

test("equal axes have the same numbers a pixel, around the same middle", () => {
  const x = new Axis({ least: 0, most: 4 }, [], 0, 100);
  const y = new Axis({ least: 10, most: 11 }, [], 100, 0);
  equalise(x, y);
  assert.deepEqual([x.least, x.most, y.least, y.most], [0, 4, 8.5, 12.5]);
});

test("numbers that differ in their last bits have the ticks of one number", () => {
  for (const number of [6.612253665924072, -0.1, 1e9]) {
    const axis = new Axis({}, [number, number * (1 + 2 ** -52)], 0, 100);
    assert.ok(axis.most - axis.least >= 1);
    assert.ok(axis.ticks(20).length < 12);
  }
});
