import assert from "node:assert/strict";
import { test } from "node:test";

import { PassagesPanel } from "../../../course/labs/front/passages.js";
import { TokensPanel } from "../../../course/labs/front/tokens.js";
import { installPage } from "./stub.mjs";

installPage();
const element = document.createElement;
document.createElement = (tag) => Object.assign(element(tag), { getContext: () => ({}), addEventListener() {} });

const entry = (id, score, title = `note ${id}`) => ({ id, title, parts: ["Copy a ", "file", "."], score, note: "no. 2 by words" });

/** A ranking of three passages, in a lab that notes what it is told. */
function ranking() {
  const told = [];
  const lab = { isMoving: () => told.length > 0, change: (changes) => told.push(changes), point: () => {} };
  const panel = new PassagesPanel({ name: "by_meaning", kind: "passages", label: "By meaning", chooses: "passage", score: "cosine" }, lab);
  panel.mark = () => {};
  panel.update({ entries: [entry(7, 0.9), entry(3, 0.5), entry(5, 0.2)], chosen: 7, empty: "" }, []);
  return { panel, told };
}

const press = (panel, key) => panel.onKey({ key, preventDefault() {}, stopPropagation() {} });

test("keys go from passage to passage, and an answer on its way takes nothing back", () => {
  const { panel, told } = ranking();
  press(panel, "ArrowDown");
  press(panel, "ArrowRight");
  press(panel, "ArrowDown"); // the end
  press(panel, "Home");
  press(panel, "x");
  assert.deepEqual(told, [{ passage: 3 }, { passage: 5 }, { passage: 7 }]);
  panel.update({ entries: panel.meta.entries, chosen: 3, empty: "" }, []);
  assert.equal(panel.meta.chosen, 7);
});

test("a passage that only the other ranking has is chosen at no place, and a key begins at the first", () => {
  const { panel, told } = ranking();
  panel.update({ chosen: 99 }, []);
  assert.equal(panel.at, -1);
  press(panel, "ArrowDown");
  assert.deepEqual(told, [{ passage: 7 }]);
});

test("a kept ranking tells what is new, what is gone, and what moved", () => {
  const { panel } = ranking();
  panel.keep();
  assert.equal(panel.tellDifference(), "The same passages.");
  assert.equal(panel.change(0, 0.9), " (0)");
  panel.update({ entries: [entry(3, 0.6), entry(7, 0.9), entry(8, 0.1)], chosen: 3, empty: "" }, []);
  assert.deepEqual([0, 1, 2].map((i) => panel.change(i, panel.meta.entries[i].score)), [" (+0.1, was no. 2)", " (0, was no. 1)", " (new)"]);
  assert.match(panel.tellDifference(), /New: “note 8: Copy a file.”. Gone: “note 5/);
  panel.forget();
  assert.equal(panel.change(0, 0.6), "");
});

test("a piece without a number is told by what it is, and not by a number that it lacks", () => {
  const lab = { isMoving: () => false, words: (words) => words, values: {} };
  const spec = { name: "t", kind: "tokens", label: "T", digits: 2, tells: "“{piece}”, change {value}", key: "" };
  const says = (more) => {
    const panel = new TokensPanel({ ...spec, ...more }, lab);
    panel.update({ pieces: ["[MASK]", "cat"], scale: "weights", data: { numbers: 0, marks: 1 } }, [
      new DataView(Float32Array.from([NaN, 0.25]).buffer), new DataView(Uint8Array.from([2, 0]).buffer),
    ]);
    return [panel.describe(0, 0), panel.describe(0, 1)];
  };
  const named = { nameless: "“{piece}”", called: { unknown: "the question" } };
  assert.deepEqual(says(named), ["“[MASK]”; the question", "“cat”, change 0.25"]);
});
