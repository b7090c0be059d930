import assert from "node:assert/strict";
import { test } from "node:test";

import { Chips } from "../../../course/labs/front/chips.js";
import { installPage } from "./stub.mjs";

installPage();

/** Twelve heads of which head 3 is drawn; `sent` has what was asked for. */
function open() {
  const sent = [];
  const chips = new Chips({ name: "flow", kind: "chips", label: "Heads drawn", item: "head", nearest: "this head" }, (name, value) => sent.push([name, value]));
  chips.setChoices([...Array(12).keys()].map((i) => [i, String(i)]));
  chips.set([3]);
  const button = (text) => chips.node.all((node) => node.tag === "button" && node.textContent === text)[0];
  const pressed = () => chips.chips.filter((chip) => chip.attributes["aria-pressed"] === "true").map((chip) => Number(chip.textContent));
  const key = (name) => chips.group.fire("keydown", { key: name });
  return { chips, sent, button, pressed, key };
}

test("a chip has a number, a name, whether it is pressed, and a group with a label", () => {
  const { chips, button, pressed } = open();
  assert.equal(button("7").attributes["aria-label"], "head 7");
  assert.equal(button("7").attributes["aria-pressed"], "false");
  assert.deepEqual(pressed(), [3]);
  assert.equal(chips.group.attributes.role, "group");
  assert.equal(chips.node.all(({ id }) => id === chips.group.attributes["aria-labelledby"])[0].textContent, "Heads drawn");
});

test("a click draws a head as well, and another takes it back; the order is the heads'", () => {
  const { sent, button, pressed } = open();
  button("1").fire("click");
  button("7").fire("click");
  button("3").fire("click");
  assert.deepEqual(sent, [["flow", [1, 3]], ["flow", [1, 3, 7]], ["flow", [1, 7]]]);
  assert.deepEqual(pressed(), [1, 7]);
});

test("all are drawn at once; the chosen head alone is Python's to say", () => {
  const { chips, sent, button, pressed } = open();
  button("all").fire("click");
  assert.equal(pressed().length, 12);
  button("this head").fire("click");
  assert.deepEqual(sent.at(-1), ["flow", []]);
  assert.equal(pressed().length, 12); // until Python answers
  chips.set([3]);
  button("3").fire("click"); // the last one
  assert.deepEqual(sent.at(-1), ["flow", []]);
  assert.deepEqual(pressed(), [3]);
});

test("one button is a tab stop, and arrow keys lead to the others", () => {
  const { chips, button, key } = open();
  const stops = () => chips.buttons.filter((node) => node.attributes.tabindex === "0").map((node) => node.textContent);
  assert.equal(stops().length, 1);
  key("Home");
  assert.deepEqual([stops(), document.activeElement], [["0"], button("0")]);
  key("ArrowLeft");
  key("ArrowRight");
  assert.deepEqual(stops(), ["1"]);
  key("End");
  assert.deepEqual(stops(), ["this head"]);
  button("4").fire("click");
  assert.deepEqual([stops(), chips.input], [["4"], button("4")]);
});

test("fewer heads have fewer chips, and one of them is a tab stop", () => {
  const { chips, key } = open();
  key("Home");
  key("ArrowRight");
  chips.setChoices([[0, "0"]]);
  assert.equal(chips.chips.length, 1);
  assert.equal(chips.buttons.filter((node) => node.attributes.tabindex === "0").length, 1);
  assert.ok(chips.buttons.includes(chips.input));
});
