import assert from "node:assert/strict";
import { test } from "node:test";

import { More, seenAtFirst } from "../../../course/labs/front/more.js";
import { installPage } from "./stub.mjs";

installPage();

const FORM = {
  lab: "small", title: "", scales: {},
  groups: [
    { label: "All folded but the text", more: true, controls: [{ name: "text", main: true }, { name: "pair" }] },
    { label: "Some folded", controls: [{ name: "step", sets: "size" }, { name: "seed", more: true }] },
  ],
  panels: [{ name: "main", chooses: [null, "token"] }, { name: "word", sends: "word" }, { name: "rest", more: true, chooses: "row" }],
};

/** Let the page remember in `stored`, or fail as where storage is switched off. */
function remember(t, stored) {
  const storage = { getItem: (name) => stored[name] ?? null, setItem: (name, value) => { stored[name] = value; } };
  const before = Object.getOwnPropertyDescriptor(globalThis, "localStorage");
  Object.defineProperty(globalThis, "localStorage", { configurable: true, get: () => { if (!stored) throw new Error("denied"); return storage; } });
  t.after(() => (before ? Object.defineProperty(globalThis, "localStorage", before) : delete globalThis.localStorage));
}

test("settings are seen at first by their controls, or chosen in a picture", () => {
  assert.deepEqual([...seenAtFirst(FORM)].filter(Boolean).sort(), ["size", "step", "text", "token", "word"]);
});

test("it is closed at first, opens, and is remembered for this kind of lab", (t) => {
  const stored = {};
  remember(t, stored);
  let toggled = 0;
  const more = new More(FORM, [], () => toggled++);
  assert.deepEqual([more.open, more.button.attributes["aria-expanded"], more.region.hidden], [false, "false", true]);
  assert.ok(more.hides({ more: true }) && !more.hides({}));
  more.button.fire("click");
  assert.deepEqual([more.open, more.button.attributes["aria-expanded"], more.region.hidden, toggled], [true, "true", false, 1]);
  assert.ok(new More(FORM, [], () => {}).open);
  assert.ok(!new More({ ...FORM, lab: "other" }, [], () => {}).open);
});

test("what is folded and not as the lab begins by itself opens it, what is seen does not", (t) => {
  remember(t, {});
  const isOpen = (...changed) => new More(FORM, changed, () => {}).open;
  assert.deepEqual([isOpen("size", "token"), isOpen("seed"), isOpen("pair"), isOpen("row"), isOpen("elsewhere")], [false, true, true, true, true]);
});

test("it works where the browser remembers nothing, and is not there without anything to fold", (t) => {
  remember(t, null);
  const more = new More(FORM, [], () => {});
  more.button.fire("click");
  assert.ok(more.open);
  const bare = new More({ ...FORM, groups: [], panels: [{ name: "main" }] }, [], () => {});
  assert.ok(bare.button.hidden && bare.region.hidden);
});
