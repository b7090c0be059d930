import assert from "node:assert/strict";
import { test } from "node:test";

import { Requests } from "../../../course/labs/front/requests.js";

test("one request is under way; what is moved meanwhile waits, the newest value only", () => {
  const requests = new Requests();
  assert.equal(requests.next(), null);
  requests.note({ heads: 1 });
  assert.deepEqual(requests.next(), { request: 1, changes: { heads: 1 } });
  for (const heads of [2, 3, 4]) requests.note({ heads });
  requests.note({ seed: 5 });
  assert.equal(requests.next(), null);
  assert.ok(requests.answer(1));
  assert.deepEqual(requests.next(), { request: 2, changes: { heads: 4, seed: 5 } });
});

test("what was moved last is last", () => {
  const requests = new Requests();
  requests.note({ a: 1, b: 1 });
  requests.note({ a: 2 });
  assert.deepEqual(Object.keys(requests.next().changes), ["b", "a"]);
});

test("a control is moving until its answer, and again if it was moved since", () => {
  const requests = new Requests();
  requests.note({ heads: 1 });
  assert.ok(requests.isMoving("heads"));
  requests.next();
  assert.ok(requests.isMoving("heads"));
  assert.ok(!requests.isMoving("seed"));
  requests.note({ seed: 1 });
  requests.answer(1);
  assert.deepEqual([requests.isMoving("heads"), requests.isMoving("seed")], [false, true]);
});

test("answers to other requests, and to none, free nothing", () => {
  const requests = new Requests();
  assert.ok(!requests.answer(undefined));
  requests.note({ heads: 1 });
  requests.next();
  assert.ok(!requests.answer(7));
  assert.ok(!requests.answer(undefined));
  assert.notEqual(requests.underWay, null);
});
