/** Numbers to pixels along one axis, and its ticks. Nothing here touches the page. */

import { formatNumber, shortNumber } from "./text.js";

/** One axis of a plot; its ends are the numbers' own where `spec` gives none. */
export class Axis {
  /**
   * @param {Labs.AxisSpec} spec
   * @param {number[]} numbers
   * @param {number} first
   * @param {number} last
   */
  constructor(spec, numbers, first, last) {
    this.spec = spec;
    const shown = numbers.filter((number) => Number.isFinite(number) && (!spec.log || number > 0));
    const [low, high] = shown.length ? extremes(shown) : [spec.log ? 1 : 0, spec.log ? 10 : 1];
    this.first = first; // in pixels, where the least number lies
    this.last = last;
    this.least = this.scaled(spec.least ?? low);
    this.most = this.scaled(spec.most ?? high);
    // Numbers that differ in their last bits are one: between them no tick can be counted.
    const near = 1e-9 * Math.max(Math.abs(this.least), Math.abs(this.most));
    if (!(this.most - this.least > near)) [this.least, this.most] = [this.least - 0.5, this.least + 0.5];
    const margin = (this.most - this.least) * 0.05;
    if (spec.least === undefined || spec.least === null) this.least -= margin;
    if (spec.most === undefined || spec.most === null) this.most += margin;
  }

  /**
   * @param {number} number
   */
  scaled(number) {
    return this.spec.log ? Math.log10(number) : number;
  }

  /**
   * Where a number lies, in pixels; NaN where a logarithm has none.
   * @param {number} number
   */
  at(number) {
    const share = (this.scaled(number) - this.least) / (this.most - this.least);
    return Number.isFinite(share) ? this.first + share * (this.last - this.first) : NaN;
  }

  /**
   * `[number, text]` of each tick, about one every `pitch` pixels.
   * @param {number} pitch
   * @returns {[number, string][]}
   */
  ticks(pitch) {
    if (this.spec.ticks) return this.thinned(this.spec.ticks, pitch);
    const most = Math.max(2, Math.abs(this.last - this.first) / pitch);
    return this.spec.log ? this.logTicks(most) : this.evenTicks(most);
  }

  /**
   * Given ticks, every second, third, ... where they would touch.
   * @param {[number, string][]} ticks
   * @param {number} pitch
   */
  thinned(ticks, pitch) {
    const seen = ticks.filter(([number]) => this.scaled(number) >= this.least && this.scaled(number) <= this.most);
    const every = Math.ceil((seen.length * pitch) / Math.max(1, Math.abs(this.last - this.first)));
    return seen.filter((_, i) => i % Math.max(1, every) === 0);
  }

  /**
   * @param {number} most
   */
  evenTicks(most) {
    const rough = (this.most - this.least) / most;
    const power = 10 ** Math.floor(Math.log10(rough));
    let step = ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10) * power;
    if (this.spec.whole) step = Math.max(1, Math.round(step));
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    /** @type {[number, string][]} */
    const ticks = [];
    for (let i = Math.ceil(this.least / step - 1e-6); i * step <= this.most + step * 1e-6; i++) {
      ticks.push([i * step, digits > 4 || Math.abs(i * step) >= 1e5 ? shortNumber(i * step) : formatNumber(i * step, digits)]);
    }
    return ticks;
  }

  /**
   * @param {number} most
   */
  logTicks(most) {
    const decades = this.most - this.least;
    if (decades < 1) return this.evenLogTicks();
    const factors = decades * 3 <= most ? [1, 2, 5] : [1];
    const every = Math.max(1, Math.ceil(decades / most));
    /** @type {[number, string][]} */
    const ticks = [];
    for (let power = Math.floor(this.least); power <= this.most; power++) {
      if (power % every) continue;
      for (const factor of factors) {
        const exponent = power + Math.log10(factor);
        if (exponent >= this.least && exponent <= this.most) ticks.push([factor * 10 ** power, shortNumber(factor * 10 ** power)]);
      }
    }
    return ticks;
  }

  /**
   * Less than a decade: a few numbers between its ends.
   * @returns {[number, string][]}
   */
  evenLogTicks() {
    return [0.1, 0.5, 0.9].map((share) => {
      const number = Number((10 ** (this.least + share * (this.most - this.least))).toPrecision(2));
      return [number, shortNumber(number)];
    });
  }
}

/**
 * @param {number[]} numbers
 */
function extremes(numbers) {
  let [low, high] = [Infinity, -Infinity];
  for (const number of numbers) {
    if (number < low) low = number;
    if (number > high) high = number;
  }
  return [low, high];
}

/**
 * Give two axes of the same length in pixels the same length in numbers: a circle stays round.
 * @param {Axis} x
 * @param {Axis} y
 */
export function equalise(x, y) {
  const span = Math.max(x.most - x.least, y.most - y.least);
  for (const axis of [x, y]) {
    const middle = (axis.least + axis.most) / 2;
    [axis.least, axis.most] = [middle - span / 2, middle + span / 2];
  }
}
