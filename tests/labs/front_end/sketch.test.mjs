import assert from "node:assert/strict";
import { test } from "node:test";

import { ImagePanel } from "../../../course/labs/front/image.js";
import { PatchesPanel } from "../../../course/labs/front/patches.js";
import { SketchPanel } from "../../../course/labs/front/sketch.js";
import { installPage } from "./stub.mjs";

installPage();
const context = new Proxy({}, { get: (kept, name) => kept[name] ?? (() => ({ width: 10 })), set: (kept, name, value) => Reflect.set(kept, name, value) });
const element = document.createElement;
document.createElement = (tag) => Object.assign(element(tag), {
  getContext: () => context, getAttribute(name) { return this.attributes[name] ?? null; },
});

const META = { side: 4, patch: 2, occluded: [], order: [2, 0, 3, 1], positions: null, class_token: true, scale: "weights", limit: 1, chosen: [0, 0] };
const ORDER = [2, 0, 3, 1];

/** A panel of an image of 4 by 4 pixels in a lab that keeps what is changed and pointed at. */
function open(Kind, spec = {}, meta = {}, data = {}) {
  const [sent, pointed, moving] = [[], [], new Set()];
  const lab = {
    values: { occluded: [], tool: 0, level: 16 }, ink: "#000000", scales: { signed: new Uint32Array(256) }, sharpness: 1,
    isMoving: (name) => moving.has(name), point: (at) => pointed.push(at), words: (words) => words ?? [],
    afterCanvases: (write) => write(), legend: () => ({}),
    change(changes) {
      sent.push(changes);
      Object.assign(this.values, changes);
    },
  };
  const panel = new Kind({ name: "panel", kind: "image", label: "Panel", ...spec }, lab);
  const buffers = { ink: Uint8Array.from({ length: 16 }, (_, i) => i), ...data };
  const names = Object.keys(buffers);
  const take = (more = {}) => panel.update({ ...META, ...meta, ...more, data: Object.fromEntries(names.map((name, i) => [name, i])) },
    names.map((name) => new DataView(buffers[name].buffer)));
  take();
  panel.draw();
  const key = (name, more = {}) => panel.canvas.fire("keydown", { key: name, ...more });
  return { panel, lab, sent, pointed, moving, buffers, take, key };
}

const SKETCH = { sends: "pixels" };

test("keys draw, erase and set, and each stroke sends all levels at once", () => {
  const { panel, sent, key } = open(SketchPanel, SKETCH, {}, { ink: new Uint8Array(16) });
  key(" ");
  assert.deepEqual(sent.at(-1).pixels, [...panel.levels]);
  assert.deepEqual([panel.levels[0], panel.levels[1], panel.levels[4]], [16, 6, 6]);
  key("Delete");
  assert.equal(panel.levels[0], 0);
  key("ArrowRight");
  key("ArrowDown");
  assert.deepEqual(panel.meta.chosen, [1, 1]);
  key("5");
  assert.equal(panel.levels[5], 9);
  key("ArrowDown", { shiftKey: true });
  assert.deepEqual([panel.levels[5], panel.levels[9]], [16, 16]);
  assert.equal(sent.length, 4);
  key("Delete");
  key("Delete"); // nothing left to erase: nothing to ask Python
  assert.equal(sent.length, 5);
});

test("an answer on its way takes back no stroke", () => {
  const { panel, moving, buffers, take, key } = open(SketchPanel, SKETCH, {}, { ink: new Uint8Array(16) });
  key("9");
  moving.add("pixels");
  take();
  assert.equal(panel.levels[0], 16);
  moving.clear();
  buffers.ink[3] = 7;
  take();
  assert.deepEqual([...panel.levels].slice(0, 4), [0, 0, 0, 7]);
});

test("a reader hears of a grid of cells, by row, column and ink", () => {
  const { panel, key } = open(SketchPanel, SKETCH);
  assert.equal(panel.canvas.attributes.role, "grid");
  assert.equal(panel.cells.length, 16);
  key("End");
  const at = panel.canvas.attributes["aria-activedescendant"];
  assert.equal(at, panel.cells[3].id);
  assert.equal(panel.cells[3].attributes["aria-label"], "row 0, column 3, patch 1: ink 3 of 16");
});

test("the ink that was added to what was kept is told", () => {
  const { panel, key } = open(SketchPanel, SKETCH, {}, { ink: new Uint8Array(16) });
  panel.keep();
  assert.equal(panel.tellDifference(), "Nothing differs.");
  key("9");
  assert.match(panel.tellDifference(), /added \(\+\): 1\.0 pixels; removed \(−\): 0\.0/);
});

test("along a sentence arrows follow its order, and space or a click covers a patch", () => {
  const { panel, sent, key } = open(PatchesPanel, { chooses: "patch", toggles: "occluded" }, { order: ORDER });
  assert.deepEqual(panel.tokens, [-1, ...ORDER]);
  key("ArrowRight");
  assert.equal(panel.meta.chosen[1], 3);
  key(" ");
  key("Home");
  key("Enter");
  assert.deepEqual(sent.filter(({ occluded }) => occluded).map(({ occluded }) => occluded), [[3], [2, 3]]);
  const [x, y] = panel.cornerOf(3); // the class token, 2, 0, 3
  assert.deepEqual(panel.cellAt(x + 1, y + 1), [0, 3]);
  assert.equal(panel.cellAt(1, 1), null); // the class token
  panel.onPress(0, 3);
  assert.deepEqual(sent.at(-1).occluded, [2]);
});

test("arrows go over an image's patches in rows, from none to the first", () => {
  const { panel, sent, key } = open(ImagePanel, { chooses: "query", nothing: "none" }, { chosen: [0, -1] }, { heat: new Float32Array(4) });
  assert.equal(panel.describe(0, -1), "none");
  key("ArrowLeft");
  key("ArrowDown");
  key("ArrowRight");
  key("ArrowRight");
  assert.deepEqual(sent, [{ query: 0 }, { query: 2 }, { query: 3 }]);
  panel.update({ chosen: [0, -1] }, []);
  assert.equal(panel.meta.chosen[1], -1); // Python chose none again
});

test("a patch is lit where it stands, also where it is read", () => {
  const shown = open(ImagePanel, {}, { order: ORDER });
  shown.panel.point({ patch: 3 });
  assert.equal(shown.panel.lit, 3);
  const read = open(ImagePanel, { in_order: true }, { order: ORDER });
  read.panel.point({ patch: 3 });
  assert.equal(read.panel.lit, 2);
  read.panel.hover([0, 0]);
  assert.deepEqual(read.pointed.at(-1), { patch: 2 });
  read.panel.point(null);
  assert.equal(read.panel.lit, -1);
});

test("numbers about another answer are not compared", () => {
  const { panel, take } = open(ImagePanel, { tells: "patch {i}: {value}" }, { about: "“3”", scale: "signed" }, { heat: Float32Array.of(0, 0.5, -0.5, NaN) });
  panel.keep();
  assert.equal(panel.describe(0, 1), "patch 1: 0.500, was 0.500 (0.000)");
  take({ about: "“8”" });
  assert.equal(panel.apart, "it is about “8” now, not “3”");
  assert.equal(panel.describe(0, 1), "patch 1: +0.500");
  assert.equal(panel.describe(0, 3), "patch 3: –");
});
