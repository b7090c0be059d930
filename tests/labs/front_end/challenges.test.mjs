import assert from "node:assert/strict";
import { test } from "node:test";

import { pointBelow, tasksLine, tellReached } from "../../../course/labs/front/challenges.js";

const open = (id) => ({ id, asks: `Do ${id}.`, hint: "Think." });
const reached = (id) => ({ ...open(id), why: `Because of ${id}.` });

test("the line counts what is reached", () => {
  assert.equal(tasksLine([open("a"), reached("b"), open("c")]), "Tasks: 1 of 3 reached");
  assert.equal(tasksLine([open("a")]), "Tasks: 0 of 1 reached");
});

test("what is reached is told once, with its number and its why", () => {
  const [before, now] = [[open("a"), open("b")], [open("a"), reached("b")]];
  assert.equal(tellReached(before, now), "Task 2 reached. Because of b.");
  assert.equal(tellReached(now, now), "");
  const both = tellReached(before, [reached("a"), reached("b")]);
  assert.equal(both, "Task 1 reached. Because of a. Task 2 reached. Because of b.");
});

test("the line above the pictures names what is told below", () => {
  const told = tellReached([open("a"), open("b")], [reached("a"), reached("b")]);
  assert.equal(pointBelow(told), "✓ Task 1, 2 reached: see below.");
  assert.equal(pointBelow(""), "");
});

test("what was reached in an earlier sitting is not told again", () => {
  assert.equal(tellReached([], [reached("a"), open("b")]), "");
});
