/** Sounds as numbers, and places in them. Nothing here touches the page. */

import { clamp } from "./text.js";

/**
 * Samples between -1 and 1 as 16 bits each, little-endian; what is beyond is cut.
 * @param {Float32Array} samples
 */
export function toPcm(samples) {
  const view = new DataView(new ArrayBuffer(2 * samples.length));
  samples.forEach((sample, i) => view.setInt16(2 * i, Math.round(clamp(sample, -1, 1) * 32767), true));
  return new Uint8Array(view.buffer);
}

/**
 * The inverse of `toPcm`.
 * @param {ArrayBuffer} bytes
 */
export function fromPcm(bytes) {
  const view = new DataView(bytes);
  return Float32Array.from({ length: view.byteLength >> 1 }, (_, i) => view.getInt16(2 * i, true) / 32767);
}

/**
 * How many samples a sound of this length has at another rate, at most `longest` seconds of it.
 * @param {number} seconds
 * @param {number} rate
 * @param {number} longest
 */
export function samplesAt(seconds, rate, longest) {
  return Math.max(1, Math.round(Math.min(seconds, longest) * rate));
}

/** Seconds to pixels along the pictures of a sound, and frames. */
export class TimeAxis {
  /**
   * @param {number} left - in pixels
   * @param {number} width
   * @param {number} seconds - of the whole
   * @param {number} pitch - seconds between two frames
   * @param {number} frames
   */
  constructor(left, width, seconds, pitch, frames) {
    this.left = left;
    this.width = width;
    this.seconds = Math.max(seconds, 1e-3);
    this.pitch = pitch;
    this.frames = frames;
  }

  /**
   * Where a second lies; the ends hold what is beyond.
   * @param {number} second
   */
  at(second) {
    return this.left + clamp(second / this.seconds, 0, 1) * this.width;
  }

  /**
   * Where a frame begins and ends; the last may be cut by the end of the sound.
   * @param {number} frame
   */
  span(frame) {
    return [this.at(frame * this.pitch), this.at((frame + 1) * this.pitch)];
  }

  /**
   * The second in the middle of a frame.
   * @param {number} frame
   */
  middle(frame) {
    return (frame + 0.5) * this.pitch;
  }

  /**
   * The frame at a pixel; null beyond both ends.
   * @param {number} x
   */
  frameAt(x) {
    if (x < this.left || x > this.left + this.width) return null;
    const second = ((x - this.left) / this.width) * this.seconds;
    return clamp(Math.floor(second / this.pitch), 0, this.frames - 1);
  }

  /**
   * The seconds to write, about one every `room` pixels.
   * @param {number} room
   */
  ticks(room) {
    const most = Math.max(1, this.width / room);
    const step = [0.1, 0.2, 0.5, 1, 2, 5].find((each) => this.seconds / each <= most) ?? 10;
    return Array.from({ length: Math.floor(this.seconds / step + 1e-9) + 1 }, (_, i) => Number((i * step).toFixed(1)));
  }
}

/**
 * Words in one row: those that would run into the one before are left out.
 * @param {{ word: string, x: number, width: number }[]} words - centred at x
 * @param {number} [gap]
 */
export function thinWords(words, gap = 4) {
  let end = -Infinity;
  return words.filter(({ x, width }) => {
    if (x - width / 2 < end + gap) return false;
    end = x + width / 2;
    return true;
  });
}
