import assert from "node:assert/strict";
import { test } from "node:test";

import front from "../../../course/labs/front/lab.js";
import { MatrixPanel } from "../../../course/labs/front/matrix.js";
import { Panel } from "../../../course/labs/front/panel.js";
import { installPage, Model } from "./stub.mjs";

installPage();
const element = document.createElement;
const context = new Proxy({}, {
  get: (_, name) => name === "createImageData" ? (width, height) => ({ width, height, data: new Uint8ClampedArray(4 * width * height) })
    : name === "measureText" ? () => ({ width: 10 }) : () => {},
  set: () => true,
});
document.createElement = (tag) => Object.assign(element(tag), { getContext: () => context, clientWidth: 400 });

const scale = Uint32Array.from({ length: 256 }, (_, i) => i);
const LAB = {
  isMoving: () => false, words: (words) => words ?? [], labels: {}, scales: { weights: scale, signed: scale }, colours: {}, values: {},
  legend: () => null, afterCanvases: (write) => write(), sharpness: 1, ink: "#000000", paper: "#ffffff",
};
const SPEC = { name: "cells", kind: "matrix", label: "Cells", corner: "", tells: "{row} {column}: {value}" };

/** A matrix of one row of weights, in 16-bit codes. */
function matrix(codes, labels = ["x", "y", "z"]) {
  const panel = new MatrixPanel(SPEC, LAB);
  const update = (numbers, columns = labels) => panel.update(
    { row_labels: ["a"], column_labels: columns, chosen: [0, 0], scale: "weights", limit: 1, bits: 16, data: { cells: 0 } },
    [new DataView(Uint16Array.from(numbers).buffer)],
  );
  update(codes);
  return { panel, update };
}

const HALF = 32767; // a code of a quarter

test("a matrix tells what its cells were, until it is released", () => {
  const { panel, update } = matrix([65534, HALF, 65535]);
  panel.keep();
  panel.sayCompared();
  assert.equal(panel.compared.textContent, "Nothing differs.");
  update([HALF, 65535, 0]);
  assert.deepEqual([0, 1, 2].map((column) => panel.describe(0, column)), [
    "a x: 0.250, was 1.000 (−0.750)", "a y: blocked, was 0.250", "a z: 0.000, was blocked",
  ]);
  panel.sayCompared();
  assert.match(panel.compared.textContent, /blue down to −0\.75.*newly blocked \(1\).*no longer blocked \(1\)/);
  assert.equal(panel.coding.scale, "signed");
  const cells = panel.table().all(({ tag }) => tag === "td").map((cell) => cell.textContent.replaceAll("\u2007", ""));
  assert.deepEqual(cells.slice(-3), ["0.25 (−0.75)", "– (was 0.25)", "0.00 (was –)"]);
  panel.forget();
  panel.sayCompared();
  assert.equal(panel.describe(0, 0), "a x: 0.250");
  assert.ok(panel.compared.hidden);
  assert.equal(panel.coding.scale, "weights");
});

test("a matrix of other columns is shown as it is, and says why; the old ones are compared again", () => {
  const { panel, update } = matrix([1, 2, 3]);
  panel.keep();
  update([65534, HALF], ["x", "q"]);
  panel.sayCompared();
  assert.equal(panel.compared.textContent, "Can't be compared with what was kept: 2 columns now, 3 then. This is how it is now.");
  assert.equal(panel.describe(0, 0), "a x: 1.000");
  update([1, 2, 3]);
  assert.equal(panel.comparing, true);
});

test("a kind of panel that knows nothing of comparing stays as it is", () => {
  const panel = new Panel({ name: "p", kind: "flow", label: "P" }, LAB);
  panel.keep();
  panel.update({ name: "p", data: {} }, []);
  panel.keep();
  panel.sayCompared();
  assert.equal(panel.comparing, false);
  assert.ok(panel.compared.hidden);
});

const FORM = {
  lab: "small", title: "A small lab", scales: {},
  groups: [{
    label: "Settings",
    controls: [
      { name: "heads", kind: "number", label: "heads" },
      { name: "heat", kind: "range", label: "temperature" },
      { name: "mask", kind: "select", label: "mask", choices: [["none", "no mask"], ["causal", "a causal one"]] },
      { name: "text", kind: "text", label: "text" },
      { name: "again", kind: "button", label: "Again" },
    ],
  }],
  panels: [{ name: "way", kind: "steps", label: "The way", chooses: "step_shown" }],
};

test("the settings that differ are named, in words, until the comparison ends", (t) => {
  const model = new Model({
    type: "draw", form: FORM, panels: [], summary: "", drawn: 1, buffers: [],
    values: { heads: 4, heat: 1, mask: "none", text: "a cat", step_shown: 0 },
  });
  const el = document.createElement("div");
  t.after(front.render({ model, el }));
  const button = el.all(({ tag, textContent }) => tag === "button" && textContent === "Compare with this")[0];
  const line = el.all(({ className }) => className === "course-lab-differs")[0];
  const spoken = el.all(({ attributes }) => attributes.role === "status")[0];
  assert.equal(button.attributes["aria-pressed"], "false");
  button.fire("click");
  assert.deepEqual([button.attributes["aria-pressed"], line.hidden], ["true", false]);
  assert.match(spoken.textContent, /^Kept\./);
  model.receive({ type: "draw", panels: [], values: { heads: 8, heat: 0.5, mask: "causal", text: "a dog" } }, []);
  assert.equal(
    line.textContent,
    "Compared with what was kept: heads 4 → 8; temperature 1.00 → 0.50; mask no mask → a causal one; text “a cat” → “a dog”.",
  );
  model.receive({ type: "draw", panels: [], values: { heads: 4, heat: 1, mask: "none", text: "a cat", step_shown: 3 } }, []);
  assert.equal(line.textContent, "Compared with what was kept: step shown 0 → 3.");
  button.fire("click");
  assert.deepEqual([button.attributes["aria-pressed"], line.hidden], ["false", true]);
  assert.match(spoken.textContent, /^No longer compared/);
});
