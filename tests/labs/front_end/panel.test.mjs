import assert from "node:assert/strict";
import { test } from "node:test";

import { CanvasPanel } from "../../../course/labs/front/panel.js";
import { installPage } from "./stub.mjs";

installPage();
const element = document.createElement;
document.createElement = (tag) => Object.assign(element(tag), { getContext: () => ({}) });

/** A picture of `rows` by `columns` cells. */
class Cells extends CanvasPanel {
  shape() {
    return this.meta.shape;
  }
}

const SPEC = { name: "cells", kind: "cells", label: "Cells", chooses: ["layer", "head"] };

/** A panel on which (1, 1) of 4 by 4 cells is chosen, in a lab whose controls in `moving` wait for an answer. */
function open(spec = {}) {
  const moving = new Set();
  const lab = { isMoving: (name) => moving.has(name), change: (changes) => Object.keys(changes).forEach((name) => moving.add(name)) };
  const panel = new Cells({ ...SPEC, ...spec }, lab);
  panel.update({ shape: [4, 4], chosen: [1, 1] }, []);
  return { panel, moving };
}

test("an answer on its way takes back no choice, and one to it does", () => {
  const { panel, moving } = open();
  panel.choose(3, 2);
  panel.update({ chosen: [2, 1] }, []);
  assert.deepEqual(panel.meta.chosen, [3, 2]);
  moving.clear();
  panel.update({ chosen: [2, 1] }, []);
  assert.deepEqual(panel.meta.chosen, [2, 1]);
});

test("of two numbers only the one that moves is kept", () => {
  const { panel, moving } = open();
  panel.choose(3, 2);
  moving.delete("layer");
  panel.update({ chosen: [0, 0] }, []);
  assert.deepEqual(panel.meta.chosen, [0, 2]);
});

test("what Python is not told of stays until Python says something new", () => {
  const { panel } = open({ chooses: [null, "head"] });
  panel.choose(3, 1);
  panel.update({ chosen: [1, 1] }, []);
  assert.deepEqual(panel.meta.chosen, [3, 1]);
  panel.update({ chosen: [2, 1] }, []);
  assert.deepEqual(panel.meta.chosen, [2, 1]);
});

test("a choice that is kept lies within what is there now", () => {
  const { panel } = open();
  panel.choose(3, 2);
  panel.update({ shape: [2, 2], chosen: [0, 0] }, []);
  assert.deepEqual(panel.meta.chosen, [1, 1]);
});
