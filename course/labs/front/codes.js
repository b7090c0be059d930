/** Numbers as codes of 4, 8 or 16 bits, codes as colours; the inverse of course/labs/packing.py. */

import { contextOf, make } from "./dom.js";

/** Blocked cells have no colour of the scale: a faint grey, hatched where there is room. */
export const BLOCKED = (60 << 24) | (128 << 16) | (128 << 8) | 128;

/**
 * What codes mean. The highest code of each width is "blocked"; the others span the scale.
 * @type {Record<Labs.Bits, { blocked: number, top: number }>}
 */
export const CODES = {
  4: { blocked: 15, top: 14 },
  8: { blocked: 255, top: 254 },
  16: { blocked: 65535, top: 65534 },
};

/**
 * Copy the bytes of a message's buffer, at offset 0 so that wider views of it are aligned.
 * @param {DataView} view
 */
export function bytesOf(view) {
  return /** @type {ArrayBuffer} */ (view.buffer).slice(view.byteOffset, view.byteOffset + view.byteLength);
}

/**
 * @param {string} text
 */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/**
 * @param {Uint8Array} bytes
 */
export function toBase64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/**
 * Interpolate 256 colours between anchors ("#rrggbb"), as the 32-bit words that ImageData holds.
 * @param {string[]} anchors
 */
export function makeScale(anchors) {
  const rgb = anchors.map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
  const scale = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * (rgb.length - 1);
    const low = Math.min(Math.floor(at), rgb.length - 2);
    const [r, g, b] = [0, 1, 2].map((c) => Math.round(rgb[low][c] + (at - low) * (rgb[low + 1][c] - rgb[low][c])));
    scale[i] = (255 << 24) | (b << 16) | (g << 8) | r;
  }
  return scale;
}

/**
 * Read `count` codes from packed bytes.
 * @param {ArrayBuffer} buffer
 * @param {Labs.Bits} bits
 * @param {number} count
 */
export function readCodes(buffer, bits, count) {
  if (bits === 16) return new Uint16Array(buffer, 0, count);
  const bytes = new Uint8Array(buffer);
  if (bits === 8) return bytes;
  const codes = new Uint8Array(count);
  for (let i = 0; i < count; i++) codes[i] = i & 1 ? bytes[i >> 1] >> 4 : bytes[i >> 1] & 15;
  return codes;
}

/**
 * The number at a share (0 to 1) of a scale.
 * @param {number} share
 * @param {Labs.Coding} coding
 */
export function numberAt(share, coding) {
  return coding.scale === "signed" ? (2 * share - 1) * coding.limit : share * share * coding.limit;
}

/**
 * The number that a code stands for; NaN where blocked.
 * @param {number} code
 * @param {Labs.Bits} bits
 * @param {Labs.Coding} coding
 */
export function decode(code, bits, coding) {
  const { blocked, top } = CODES[bits];
  return code === blocked ? NaN : numberAt(code / top, coding);
}

/**
 * Pack which of `count` codes are blocked, a bit each, as course/labs/packing.py reads them.
 * @param {ArrayLike<number>} codes
 * @param {number} count
 * @param {number} blocked
 */
export function packBlocked(codes, count, blocked) {
  const bits = new Uint8Array((count + 7) >> 3);
  for (let i = 0; i < count; i++) if (codes[i] === blocked) bits[i >> 3] |= 1 << (i & 7);
  return bits;
}

/**
 * Block what packed bits say, and free the other codes that were blocked.
 * @param {Uint8Array | Uint16Array} codes
 * @param {number} count
 * @param {number} blocked
 * @param {Uint8Array} bits
 */
export function unpackBlocked(codes, count, blocked, bits) {
  for (let i = 0; i < count; i++) {
    if ((bits[i >> 3] >> (i & 7)) & 1) codes[i] = blocked;
    else if (codes[i] === blocked) codes[i] = 0;
  }
}

/**
 * Write the colours of `width` x `height` codes into a picture of `across` words a row.
 * @param {Uint32Array} words
 * @param {number} across
 * @param {ArrayLike<number>} codes
 * @param {number} start - where in `codes` they begin
 * @param {number} width
 * @param {number} height
 * @param {number} left
 * @param {number} top
 * @param {Labs.Bits} bits
 * @param {Uint32Array} scale
 */
export function colourCodes(words, across, codes, start, width, height, left, top, bits, scale) {
  const { blocked, top: highest } = CODES[bits];
  const factor = 255 / highest;
  for (let y = 0; y < height; y++) {
    let target = (top + y) * across + left;
    for (let x = 0; x < width; x++) {
      const code = codes[start + y * width + x];
      words[target++] = code === blocked ? BLOCKED : scale[(code * factor + 0.5) | 0];
    }
  }
}

/** A canvas of one pixel a code. */
export class Pixels {
  constructor() {
    this.canvas = make("canvas");
    this.context = contextOf(this.canvas);
    this.words = new Uint32Array(0);
    /** @type {ImageData | null} */
    this.image = null;
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  resize(width, height) {
    if (this.image && this.image.width === width && this.image.height === height) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.image = this.context.createImageData(width, height);
    this.words = new Uint32Array(this.image.data.buffer);
  }

  /**
   * Colour `codes` (rows of `width`) at (left, top).
   * @param {ArrayLike<number>} codes
   * @param {number} start
   * @param {number} width
   * @param {number} height
   * @param {number} left
   * @param {number} top
   * @param {Labs.Bits} bits
   * @param {Uint32Array} scale
   */
  put(codes, start, width, height, left, top, bits, scale) {
    colourCodes(this.words, this.canvas.width, codes, start, width, height, left, top, bits, scale);
  }

  flush() {
    if (this.image) this.context.putImageData(this.image, 0, 0);
  }
}
