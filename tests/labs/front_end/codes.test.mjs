import assert from "node:assert/strict";
import { test } from "node:test";

import {
  BLOCKED, bytesOf, CODES, colourCodes, decode, fromBase64, makeScale, packBlocked, readCodes, toBase64, unpackBlocked,
} from "../../../course/labs/front/codes.js";

const weights = { scale: "weights", limit: 1 };
const signed = { scale: "signed", limit: 3 };

test("codes of 4, 8 and 16 bits are read", () => {
  assert.deepEqual([...readCodes(Uint8Array.of(0x21, 0xf3).buffer, 4, 3)], [1, 2, 3]);
  assert.deepEqual([...readCodes(Uint8Array.of(7, 255).buffer, 8, 2)], [7, 255]);
  assert.deepEqual([...readCodes(Uint16Array.of(7, 65535).buffer, 16, 2)], [7, 65535]);
});

test("the ends of each width are the ends of the scale, and one above is blocked", () => {
  for (const bits of [4, 8, 16]) {
    const { blocked, top } = CODES[bits];
    assert.equal(blocked, top + 1);
    assert.equal(decode(0, bits, weights), 0);
    assert.equal(decode(top, bits, weights), 1);
    assert.equal(decode(top / 2, bits, weights), 0.25);
    assert.equal(decode(0, bits, signed), -3);
    assert.equal(decode(top, bits, signed), 3);
    assert.equal(decode(top / 2, bits, signed), 0);
    assert.ok(Number.isNaN(decode(blocked, bits, weights)));
  }
});

test("a buffer's bytes are copied to offset 0", () => {
  const view = new DataView(Uint8Array.of(9, 9, 9, 1, 2, 3).buffer, 3, 2);
  const bytes = bytesOf(view);
  assert.deepEqual([...new Uint8Array(bytes)], [1, 2]);
  assert.notEqual(bytes, view.buffer);
});

test("base64 there and back", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
  assert.equal(toBase64(Uint8Array.of(1, 2, 3)), "AQID");
});

test("what is blocked is packed, a bit each from the lowest, and unpacked", () => {
  const codes = Uint8Array.of(255, 3, 255, 0, 0, 0, 0, 0, 0, 255);
  const bits = packBlocked(codes, 10, 255);
  assert.deepEqual([...bits], [0b101, 0b10]);
  const other = Uint8Array.of(1, 255, 2, 255, 4, 5, 6, 7, 8, 9);
  unpackBlocked(other, 10, 255, bits);
  assert.deepEqual([...other], [255, 0, 255, 0, 4, 5, 6, 7, 8, 255]);
});

test("a scale begins and ends at its anchors, and passes through the middle one", () => {
  const scale = makeScale(["#000000", "#ff0000", "#ffffff"]);
  const rgb = (word) => [word & 255, (word >> 8) & 255, (word >> 16) & 255, word >>> 24];
  assert.equal(scale.length, 256);
  assert.deepEqual(rgb(scale[0]), [0, 0, 0, 255]);
  assert.deepEqual(rgb(scale[255]), [255, 255, 255, 255]);
  assert.deepEqual(rgb(scale[64]), [128, 0, 0, 255]);
});

test("codes are coloured at their place, and nothing beside it", () => {
  const scale = makeScale(["#000000", "#ffffff"]);
  const words = new Uint32Array(9);
  colourCodes(words, 3, Uint8Array.of(99, 0, 254, 255, 127), 1, 2, 2, 1, 1, 8, scale);
  assert.deepEqual([...words], [0, 0, 0, 0, scale[0], scale[255], 0, BLOCKED, scale[128]]);
});
