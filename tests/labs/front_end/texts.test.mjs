import assert from "node:assert/strict";
import { test } from "node:test";

import { TextsPanel } from "../../../course/labs/front/texts.js";
import { mirrorPieces, placePieces, RIGHTWARDS } from "../../../course/labs/front/tokens.js";
import { installPage } from "./stub.mjs";

installPage();

const row = (label, parts, right) => ({ label, parts, language: "ar", note: "", right });

test("texts stand in their own direction, with what differs marked, and rows that stay are kept", () => {
  const panel = new TextsPanel({ name: "texts", kind: "texts", label: "Texts" }, {});
  panel.update({ rows: [row("made", ["6 ", "مارس", " 1997"], false), row("exact", ["6 مايو 1997"])] }, []);
  panel.draw();
  const [made, exact] = panel.list.children;
  const [text, note] = made.children[1].children;
  assert.equal(text.textContent, "6 مارس 1997");
  assert.deepEqual(text.children.map(({ tag, textContent }) => [tag, textContent]), [["mark", "مارس"]]);
  assert.deepEqual([text.attributes.dir, text.lang, note.className], ["auto", "ar", "is-wrong"]);
  const before = exact.children[1].children[0].firstChild;
  panel.update({ rows: [row("made", ["6 مايو 1997"], true), row("exact", ["6 مايو 1997"])] }, []);
  panel.draw();
  assert.equal(note.className, "is-right");
  assert.equal(exact.children[1].children[0].firstChild, before);
  panel.update({ rows: [row("made", ["7"])] }, []);
  panel.draw();
  assert.equal(panel.list.children.length, 1);
  assert.equal(note.className, "");
});

test("pieces from right to left: the first at the right, digits among them from left to right", () => {
  const marks = Uint8Array.of(0, RIGHTWARDS, RIGHTWARDS, 0);
  const boxes = placePieces([20, 10, 14, 20], marks, 200);
  const turned = mirrorPieces(boxes, marks, 200);
  const order = [...turned.keys()].sort((a, b) => turned[a].x - turned[b].x);
  assert.deepEqual(order, [3, 1, 2, 0]);
  assert.equal(turned[0].x + turned[0].width, 196);
  order.slice(1).forEach((i, k) => assert.ok(turned[i].x >= turned[order[k]].x + turned[order[k]].width));
  // A run of digits that is broken over two lines keeps each part in its line.
  const broken = placePieces([60, 60, 60], Uint8Array.of(RIGHTWARDS, RIGHTWARDS, RIGHTWARDS), 140);
  const two = mirrorPieces(broken, Uint8Array.of(RIGHTWARDS, RIGHTWARDS, RIGHTWARDS), 140);
  assert.ok(two[0].x < two[1].x);
  assert.ok(two[2].y > two[1].y);
});
