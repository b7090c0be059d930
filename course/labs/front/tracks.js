/** What a view knows of a run: its curve, which grows, and how a person reads it. Nothing here touches the page. */

/** The extremes of numbers that grow in number: an axis need not look at all of them for each picture. */
export class Span {
  constructor() {
    this.least = this.leastPositive = Infinity;
    this.most = -Infinity;
  }

  /**
   * Take in a number; NaN and infinity have no place on an axis.
   * @param {number} number
   */
  add(number) {
    if (!Number.isFinite(number)) return;
    this.least = Math.min(this.least, number);
    this.most = Math.max(this.most, number);
    if (number > 0) this.leastPositive = Math.min(this.leastPositive, number);
  }

  /** The numbers that an axis needs, linear or logarithmic. */
  get ends() {
    return [this.least, this.leastPositive, this.most].filter(Number.isFinite);
  }
}

/**
 * The loss and the held-out figure of one run, update by update.
 *
 * Python sends a run's records in chunks: the first holds all that there were, each later one those
 * since. A view that opens late gets the first again, so a chunk may repeat what is known.
 */
export class Track {
  /**
   * @param {number} constant - of the smoothing, in updates: after so many a jump has come through to 63 %
   */
  constructor(constant) {
    this.constant = constant;
    this.known = 0; // records that have come
    this.version = this.drawn = 0; // how often it has grown, and how far that was drawn
    /** @type {number[]} */
    this.steps = [];
    /** @type {number[]} */
    this.losses = [];
    /** @type {number[]} */
    this.smooth = [];
    /** @type {number[]} */
    this.at = []; // the updates after which the held-out figure was measured
    /** @type {number[]} */
    this.figures = [];
    this.sum = this.weight = 0; // of the smoothing
    this.lossSpan = new Span();
    this.figureSpan = new Span();
  }

  clear() {
    this.known = this.sum = this.weight = 0;
    [this.lossSpan, this.figureSpan] = [new Span(), new Span()];
    for (const numbers of [this.steps, this.losses, this.smooth, this.at, this.figures]) numbers.length = 0;
  }

  /**
   * Take in the records `from` to `upto`; false where some before them are missing.
   * @param {{ from: number, upto: number, count: number, measured: number }} chunk
   * @param {Float32Array} numbers - steps, losses, measured steps, figures
   */
  take({ from, upto, count, measured }, numbers) {
    if (from > this.known) return false;
    this.version += 1;
    if (from === 0) this.clear();
    const part = (/** @type {number} */ first, /** @type {number} */ length) => numbers.subarray(first, first + length);
    const [steps, losses] = [part(0, count), part(count, count)];
    const [at, figures] = [part(2 * count, measured), part(2 * count + measured, measured)];
    for (let i = 0; i < count; i++) if (!(steps[i] <= this.last)) this.append(steps[i], losses[i]);
    for (let i = 0; i < measured; i++) {
      if (this.at.length && at[i] <= this.at[this.at.length - 1]) continue;
      this.at.push(at[i]);
      this.figures.push(figures[i]);
      this.figureSpan.add(figures[i]);
    }
    this.known = Math.max(this.known, upto);
    return true;
  }

  /**
   * A mean that forgets: NaN and infinity leave it as it was.
   * @param {number} step
   * @param {number} loss
   */
  append(step, loss) {
    const keeps = Math.exp(-(this.steps.length ? step - this.last : 1) / this.constant);
    if (Number.isFinite(loss)) {
      this.sum = this.sum * keeps + loss * (1 - keeps);
      this.weight = this.weight * keeps + (1 - keeps);
    }
    this.steps.push(step);
    this.losses.push(loss);
    this.lossSpan.add(loss);
    this.smooth.push(this.weight ? this.sum / this.weight : NaN);
  }

  /** The last update that is known; NaN before the first. */
  get last() {
    return this.steps.length ? this.steps[this.steps.length - 1] : NaN;
  }

  /**
   * The numbers at the last record not after an update; null before the first.
   * @param {number} step
   */
  read(step) {
    const i = lastNotAfter(this.steps, step);
    if (i < 0) return null;
    const k = lastNotAfter(this.at, step);
    return { step: this.steps[i], loss: this.losses[i], smooth: this.smooth[i], figure: k < 0 ? NaN : this.figures[k] };
  }
}

/**
 * The place of the last number that is not after `value`, among numbers in order; -1 for none.
 * @param {number[]} numbers
 * @param {number} value
 */
export function lastNotAfter(numbers, value) {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * Where a key leads along the kept moments; null for a key that leads nowhere.
 *
 * Arrow keys lead to the moment before or after: what is shown changes with each. With shift they
 * lead to the update before or after.
 * @param {string} key
 * @param {boolean} fine
 * @param {number} now
 * @param {number[]} moments - in order
 * @param {number} last - the last update
 */
export function nextMoment(key, fine, now, moments, last) {
  const back = key === "ArrowLeft" || key === "ArrowDown";
  const on = key === "ArrowRight" || key === "ArrowUp";
  if (key === "Home") return 0;
  if (key === "End") return last;
  if (!back && !on && key !== "PageUp" && key !== "PageDown") return null;
  if (fine && (back || on)) return Math.min(Math.max(now + (on ? 1 : -1), 0), last);
  const count = back || on ? 1 : 5;
  if (on || key === "PageUp") return moments.filter((step) => step > now)[count - 1] ?? last;
  return moments.filter((step) => step < now).at(-count) ?? 0;
}

/**
 * Places of at most `most` among `count`, evenly spread, with the last.
 * @param {number} count
 * @param {number} most
 */
export function spread(count, most) {
  const every = Math.max(1, Math.ceil(count / most));
  return Array.from({ length: Math.ceil(count / every) }, (_, i) => count - 1 - i * every).reverse();
}
