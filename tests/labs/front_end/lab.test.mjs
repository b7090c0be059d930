import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import front from "../../../course/labs/front/lab.js";
import { installPage, layOut, Model } from "./stub.mjs";

installPage();

const FORM = {
  lab: "small", title: "A small lab", scales: {},
  groups: [{
    label: "Settings",
    controls: [
      { name: "heads", kind: "number", label: "Heads" },
      { name: "depth", kind: "range", label: "Depth", shows: ["none", "some"] },
      { name: "mask", kind: "select", label: "Mask", choices: [["none", "no mask"], ["causal", "causal"]] },
      { name: "scaled", kind: "check", label: "scaled", show: { mask: ["causal", "padding"] } },
      { name: "text", kind: "text", label: "Text", longest: 10 },
      { name: "again", kind: "button", label: "Again" },
    ],
  }],
  panels: [{ name: "way", kind: "steps", label: "The way", help: "Arrow keys.", chooses: "step" }],
};
const WAY = { name: "way", rows: ["a\tone\t(2,)", "b\ttwo\t(3,)", "c\tthree\t(4,)"], chosen: 0, says: "It begins.", code: [] };
const VALUES = { heads: 4, depth: 1, mask: "none", scaled: true };

/** A lab that has been drawn once. */
function open(t) {
  const model = new Model();
  const el = document.createElement("div");
  const dispose = front.render({ model, el });
  t.after(dispose);
  const view = model.sent[0].view;
  const answer = (content) => model.receive({ type: "draw", panels: [], notice: "", ...content }, []);
  answer({ to: view, form: FORM, values: VALUES, panels: [WAY], summary: "Four heads.", drawn: 1 });
  const root = el.children[0];
  const find = (tag, text) => root.all((node) => node.tag === tag && node.textContent === text)[0];
  const control = (label) => root.all((node) => node.id === find("label", label).attributes.for)[0];
  const type = (label, value) => {
    const input = control(label);
    input.value = String(value);
    input.fire("input");
  };
  const changes = () => model.sent.filter(({ type }) => type === "change");
  return { model, el, root, view, answer, find, control, type, changes };
}

test("a view says that it is there, and draws what it is answered", (t) => {
  const { model, root, control } = open(t);
  assert.equal(model.sent[0].type, "ready");
  assert.equal(root.attributes["data-lab"], "small");
  assert.equal(root.attributes["data-drawn"], "1");
  assert.equal(control("Heads").value, 4);
  assert.equal(control("Mask").selectedIndex, 0);
  assert.ok(control("scaled").checked);
});

test("every id is there once, and whatever names one names one that is there", (t) => {
  const [one, other] = [open(t), open(t)];
  const nodes = [one, other].flatMap(({ root }) => root.all(() => true));
  const ids = nodes.map(({ id }) => id).filter(Boolean);
  assert.ok(ids.length > 10);
  assert.equal(new Set(ids).size, ids.length);
  const named = nodes.flatMap(({ attributes }) =>
    ["for", "aria-labelledby", "aria-describedby", "aria-activedescendant"].map((name) => attributes[name]).filter(Boolean));
  assert.ok(named.length > 8);
  assert.deepEqual(named.filter((id) => !ids.includes(id)), []);
});

test("the latest request wins: what is moved meanwhile is merged, and no answer takes it back", (t) => {
  const { type, changes, answer, view, control } = open(t);
  type("Heads", 5);
  type("Heads", 6);
  type("Heads", 7);
  assert.deepEqual(changes().map(({ request, changes }) => [request, changes]), [[1, { heads: 5 }]]);
  answer({ view, request: 1, values: { ...VALUES, heads: 5 } });
  assert.equal(control("Heads").value, "7");
  assert.deepEqual(changes().at(-1).changes, { heads: 7 });
  answer({ view, request: 2, values: { ...VALUES, heads: 8 } });
  assert.equal(control("Heads").value, 8);
  assert.equal(changes().length, 2);
});

test("an answer to another view frees nothing, and a greeting of another is not ours", (t) => {
  const { type, changes, answer, root } = open(t);
  type("Heads", 5);
  type("Heads", 6);
  answer({ view: "another", request: 1, values: VALUES });
  assert.equal(changes().length, 1);
  answer({ to: "another", form: { ...FORM, lab: "other" }, values: VALUES });
  assert.equal(root.attributes["data-lab"], "small");
});

test("a notice is shown, and goes with the next answer that has none", (t) => {
  const { answer, view, type, root } = open(t);
  const notice = root.all((node) => node.attributes.role === "alert")[0];
  assert.ok(notice.hidden);
  type("Heads", 3);
  answer({ view, request: 1, notice: "3 is odd." });
  assert.deepEqual([notice.hidden, notice.textContent], [false, "3 is odd."]);
  type("Heads", 4);
  answer({ view, request: 2 });
  assert.ok(notice.hidden);
});

test("what does not apply is hidden", (t) => {
  const { control, changes } = open(t);
  const scaled = control("scaled").parentElement;
  assert.ok(scaled.hidden);
  const mask = control("Mask");
  mask.selectedIndex = 1;
  mask.fire("change");
  assert.ok(!scaled.hidden);
  assert.deepEqual(changes().at(-1).changes, { mask: "causal" });
});

test("a range reads its value as the form says", (t) => {
  const { control, type } = open(t);
  assert.equal(control("Depth").attributes["aria-valuetext"], "some");
  type("Depth", 0);
  assert.equal(control("Depth").attributes["aria-valuetext"], "none");
  type("Depth", 7);
  assert.equal(control("Depth").attributes["aria-valuetext"], "7.00");
});

test("a refused value is marked at its own control until it is mended", (t) => {
  const { control, type, answer, view, root } = open(t);
  const notice = root.all((node) => node.className === "course-lab-notice")[0];
  type("Heads", 9);
  answer({ view, request: 1, values: { ...VALUES, heads: 9 }, refused: { heads: "No." }, notice: "No." });
  assert.equal(control("Heads").attributes["aria-invalid"], "true");
  assert.equal(control("Heads").attributes["aria-errormessage"], notice.id);
  assert.equal(control("Depth").attributes["aria-invalid"], undefined);
  type("Depth", 0);
  answer({ view, request: 2, notice: "No." });
  assert.equal(control("Heads").attributes["aria-invalid"], "true");
  type("Heads", 8);
  answer({ view, request: 3, refused: {} });
  assert.equal(control("Heads").attributes["aria-invalid"], undefined);
});

test("a step leads to the next number that is allowed, a typed number stays", (t) => {
  const { control, answer, view, changes, type } = open(t);
  type("Heads", 4);
  answer({ view, request: 1, allowed: { heads: [1, 2, 4, 8] } });
  const heads = control("Heads");
  const step = (value, event) => {
    heads.value = String(value);
    heads.fire("input", event);
    answer({ view, request: changes().length });
    return heads.value;
  };
  assert.equal(step(5), "8");
  assert.equal(step(9), "8"); // there is none above
  assert.equal(step(7), "4");
  assert.equal(step(3), "2");
  assert.deepEqual(changes().at(-1).changes, { heads: 2 });
  assert.equal(step(3, new InputEvent("insertText")), "3");
});

test("of a long text the first characters are used, and the field says so and keeps it all", (t) => {
  const { control, answer, view, changes, root, type } = open(t);
  const says = () => root.all((node) => node.className === "course-lab-cut")[0].textContent;
  type("Text", "🙂".repeat(12));
  assert.deepEqual(changes().at(-1).changes, { text: "🙂".repeat(10) });
  assert.equal(says(), "Used: the first 10 of 12 characters.");
  answer({ view, request: 1, values: { ...VALUES, text: "🙂".repeat(10) } });
  assert.equal(control("Text").value, "🙂".repeat(12));
  type("Text", "x".repeat(1234567));
  assert.equal(says(), "Used: the first 10 of 1,234,567 characters.");
  type("Text", "x".repeat(10));
  assert.equal(says(), "");
});

test("a button sends true, an empty number null", (t) => {
  const { find, type, changes, answer, view } = open(t);
  find("button", "Again").fire("click");
  assert.deepEqual(changes().at(-1).changes, { again: true });
  answer({ view, request: 1 });
  type("Heads", "");
  assert.deepEqual(changes().at(-1).changes, { heads: null });
});

test("keys go along the steps, and an answer on its way does not take them back", (t) => {
  const { root, answer, view, changes } = open(t);
  const list = root.all((node) => node.attributes.role === "listbox")[0];
  const chosen = () => list.children.findIndex((row) => row.attributes["aria-selected"] === "true");
  list.fire("keydown", { key: "ArrowDown" });
  list.fire("keydown", { key: "ArrowDown" });
  list.fire("keydown", { key: "ArrowDown" });
  assert.equal(chosen(), 2);
  answer({ view, request: 1, panels: [{ ...WAY, chosen: 1 }], drawn: 2 });
  assert.equal(chosen(), 2);
  assert.deepEqual(changes().at(-1).changes, { step: 2 });
  answer({ view, request: 2, panels: [{ ...WAY, chosen: 2 }], drawn: 3 });
  list.fire("keydown", { key: "Home" });
  assert.equal(chosen(), 0);
  list.fire("keydown", { key: "a" });
  list.fire("keydown", { key: "End", ctrlKey: true });
  assert.equal(chosen(), 0);
});

test("a lab draws what it was made with before Python answers", (t) => {
  const model = new Model({ type: "draw", form: FORM, values: VALUES, panels: [WAY], summary: "First.", drawn: 3, buffers: [] });
  const el = document.createElement("div");
  t.after(front.render({ model, el }));
  assert.equal(el.children[0].attributes["data-drawn"], "3");
  assert.equal(model.sent.length, 1);
});

test("a view that goes says so and leaves nothing", () => {
  const model = new Model();
  const el = document.createElement("div");
  const dispose = front.render({ model, el });
  dispose();
  assert.deepEqual(model.sent.map(({ type }) => type), ["ready", "gone"]);
  assert.equal(model.sent[0].view, model.sent[1].view);
  assert.equal(el.children.length, 0);
  assert.deepEqual(model.listeners, {});
});

test("ids are told apart by the page, whatever module made them", async () => {
  const source = await readFile(new URL("../../../course/labs/front/page.js", import.meta.url), "utf8");
  const load = (n) => import(`data:text/javascript,${encodeURIComponent(`${source}// ${n}`)}`);
  const [one, other] = [await load(1), await load(2)];
  assert.notEqual(one.nextNumber, other.nextNumber);
  const numbers = [one, other, one, other].map(({ nextNumber }) => nextNumber());
  assert.equal(new Set(numbers).size, 4);
});

test("a kernel that goes is told at once, what was moved stays, and when it is back the lab goes on", (t) => {
  const { model, root, type, control, changes, answer, view } = open(t);
  const notice = root.all((node) => node.className === "course-lab-notice")[0];
  model.setLive(false);
  assert.match(notice.textContent, /stopped or was restarted.*Run this cell again/);
  assert.ok(!notice.hidden);
  type("Heads", 7);
  type("Heads", 8);
  assert.equal(control("Heads").value, "8");
  assert.equal(changes().length, 0);
  model.setLive(true);
  assert.equal(model.sent.at(-1).type, "ready");
  answer({ to: view, values: VALUES, form: FORM, panels: [WAY] });
  assert.ok(notice.hidden);
  type("Heads", 6);
  assert.deepEqual(changes().map(({ changes }) => changes), [{ heads: 6 }]);
});

test("a send that fails tells the same, without an event", (t) => {
  const { model, root, type } = open(t);
  const notice = root.all((node) => node.className === "course-lab-notice")[0];
  model.live = false;
  type("Heads", 7);
  assert.match(notice.textContent, /Run this cell again/);
});

test("the lab that comes into the cell of one whose kernel went has its settings", (t) => {
  const cell = document.createElement("div");
  cell.className = "lm-Widget jp-Cell jp-CodeCell";
  const show = (form) => {
    const model = new Model({ type: "draw", form, values: VALUES, panels: [WAY], summary: "", drawn: 1, buffers: [] });
    const el = document.createElement("div");
    cell.append(el);
    const dispose = front.render({ model, el });
    layOut(800);
    const control = (text) => el.all((node) => node.id === el.all((label) => label.tag === "label" && label.textContent === text)[0].attributes.for)[0];
    return { model, el, dispose, control };
  };
  const sent = ({ model }) => model.sent.filter(({ type }) => type === "change").map(({ changes }) => changes);
  const first = show(FORM);
  first.control("Heads").value = "6";
  first.control("Heads").fire("input");
  first.model.setLive(false);
  first.control("scaled").checked = false;
  first.control("scaled").fire("change");
  first.el.all((node) => node.tag === "button" && node.textContent === "Again")[0].fire("click");
  first.dispose();
  const other = show({ ...FORM, lab: "another" });
  assert.deepEqual(sent(other), []);
  other.dispose();
  const second = show(FORM);
  t.after(second.dispose);
  assert.equal(second.control("Heads").value, 6);
  assert.ok(!second.control("scaled").checked);
  assert.deepEqual(sent(second), [{ heads: 6, scaled: false }]);
  const third = show(FORM); // they are taken once
  t.after(third.dispose);
  assert.deepEqual(sent(third), []);
});

test("a cell that is run again on purpose begins with its own settings", (t) => {
  const cell = document.createElement("div");
  cell.className = "jp-Cell";
  const shown = [1, 2].map(() => {
    const model = new Model({ type: "draw", form: FORM, values: VALUES, panels: [WAY], summary: "", drawn: 1, buffers: [] });
    const el = document.createElement("div");
    cell.append(el);
    const dispose = front.render({ model, el });
    layOut(800);
    const again = el.all((node) => node.tag === "button" && node.textContent === "Again")[0];
    again.fire("click");
    dispose();
    return model.sent.filter(({ type }) => type === "change").map(({ changes }) => changes);
  });
  assert.deepEqual(shown, [[{ again: true }], [{ again: true }]]);
});
