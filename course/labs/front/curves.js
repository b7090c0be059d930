/** The curves of a training, and the cursor that chooses the moment that all else shows. */

import { Axis } from "./axis.js";
import { contextOf, keepKeys, make, newId, numberTable, setFont, setText } from "./dom.js";
import { CanvasPanel } from "./panel.js";
import { DASHES, drawLine, drawMarker, line, MARKERS } from "./strokes.js";
import { clamp, shortNumber } from "./text.js";
import { lastNotAfter, nextMoment, spread, Track } from "./tracks.js";

const LOSS_HIGH = 190; // in CSS pixels
const FIGURE_HIGH = 120;
const WIDEST = 1100;
const MOST_POINTS = 900; // faint points that are drawn of a run
const RENEWED_MS = 100; // between two pictures of curves that grow
const TABLE_ROWS = 24;

/**
 * One plot: what it draws between `top` and `bottom`.
 * @typedef {{ top: number, bottom: number, y: Axis, ticks: [number, string][], label: string }} Plot
 */

/**
 * The loss and the held-out figure over one axis of updates. Buffer: `numbers` (float32, chunk after
 * chunk as `Track.take` reads them).
 *
 * @extends {CanvasPanel<Labs.CurvesSpec, Labs.CurvesMeta>}
 */
export class CurvesPanel extends CanvasPanel {
  /**
   * @param {Labs.CurvesSpec} spec
   * @param {Labs.Host} lab
   */
  constructor(spec, lab) {
    super(spec, lab);
    /** @type {Map<string, Track>} */
    this.tracks = new Map(); // by the run's id
    /** @type {number | null} */
    this.mine = null; // where the learner put the cursor; null follows the end
    this.x = new Axis({}, [], 0, 1);
    /** @type {Plot[]} */
    this.plots = [];
    this.left = 40;
    this.awaited = 0; // the frame in which it is drawn next
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.later = undefined; // when curves that have grown are drawn
    this.curves = make("canvas"); // all but the cursor, which moves more often
    this.curvesOf = ""; // what they show
    this.curvesAt = -Infinity; // when they were drawn
    const id = newId("control");
    this.range = keepKeys(make("input", { type: "range", id, min: 0, max: 0, step: 1, value: 0 }));
    this.output = make("output", { for: id });
    this.follow = keepKeys(make("button", { type: "button", "aria-pressed": "true" }, "Follow"));
    this.follow.title = "Show the newest moment, and go on with the training.";
    this.range.addEventListener("input", () => this.moveTo(this.range.valueAsNumber));
    this.range.addEventListener("keydown", (event) => this.onKey(event));
    this.follow.addEventListener("click", () => this.moveTo(null));
    this.canvas.after(make("div", { class: "course-lab-scrubber" }, make("label", { for: id }, "Moment"), this.range, this.output, this.follow));
  }

  get seenAs() {
    return "plot";
  }

  // From Python

  /**
   * @param {Partial<Labs.CurvesMeta>} meta
   * @param {DataView[]} buffers
   */
  update(meta, buffers) {
    super.update(meta, buffers);
    if (!this.lab.isMoving("cursor")) this.mine = this.meta.cursor;
  }

  /**
   * @param {Labs.CurvesMeta} meta
   * @param {Record<string, ArrayBuffer>} data
   */
  read(meta, data) {
    for (const id of [...this.tracks.keys()]) if (!meta.runs.some((run) => run.id === id)) this.tracks.delete(id);
    const numbers = new Float32Array(data.numbers);
    let at = 0;
    for (const chunk of meta.chunks) {
      const run = meta.runs.find(({ id }) => id === chunk.id);
      const length = 2 * (chunk.count + chunk.measured);
      if (run) this.track(run).take(chunk, numbers.subarray(at, at + length));
      at += length;
    }
  }

  /**
   * @param {Labs.Run} run
   * @returns {Track}
   */
  track(run) {
    const known = this.tracks.get(run.id);
    if (known) return known;
    const track = new Track(run.constant);
    this.tracks.set(run.id, track);
    return track;
  }

  // The cursor

  /** The last update of any run. */
  get last() {
    return Math.max(0, ...this.meta.runs.map(({ step }) => step));
  }

  /** The update under the cursor. */
  get at() {
    return Math.min(this.mine ?? this.last, this.last);
  }

  /**
   * Put the cursor at an update, or let it follow the end (null): Python is asked for that moment.
   * @param {number | null} step
   */
  moveTo(step) {
    if (!this.ready) return;
    this.mine = step === null ? null : clamp(Math.round(step), 0, this.last);
    this.lab.change({ cursor: this.mine });
    this.draw();
  }

  /**
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    if (!this.ready || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = nextMoment(event.key, event.shiftKey, this.at, this.meta.moments, this.last);
    if (step === null) return;
    this.moveTo(step);
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * @param {number} x
   * @param {number} _y
   * @returns {Labs.Cell}
   */
  cellAt(x, _y) {
    const share = (x - this.x.first) / Math.max(1, this.x.last - this.x.first);
    return [0, clamp(Math.round(this.x.least + share * (this.x.most - this.x.least)), 0, this.last)];
  }

  /**
   * @param {number} _
   * @param {number} step
   */
  choose(_, step) {
    if (step !== this.mine) this.moveTo(step);
  }

  /**
   * @param {Labs.Cell | null} cell
   */
  hover(cell) {
    this.say(cell);
  }

  /**
   * @param {Labs.Cell | null} cell
   */
  say(cell = null) {
    setText(this.readout, this.ready ? this.describe(0, cell ? cell[1] : this.at) : "");
  }

  /**
   * An update in words.
   * @param {number} _
   * @param {number} step
   */
  describe(_, step) {
    const runs = this.meta.runs.flatMap((run) => {
      const read = this.track(run).read(step);
      if (!read || step < run.first) return [];
      const figure = Number.isNaN(read.figure) ? "" : `, ${this.meta.figure} ${shortNumber(read.figure)}`;
      return [`${run.name ? `${run.name}: ` : ""}loss ${shortNumber(read.loss)} (smoothed ${shortNumber(read.smooth)})${figure}`];
    });
    return `Update ${step.toLocaleString("en")}${runs.length ? `: ${runs.join("; ")}` : ""}`;
  }

  // Drawing

  /** Draw in the next frame: a key, its answer and new records often come within one. */
  draw() {
    if (this.awaited || !this.ready) return;
    this.awaited = requestAnimationFrame((now) => {
      this.awaited = 0;
      this.drawNow(now);
    });
  }

  /**
   * @param {number} now - in milliseconds
   */
  drawNow(now) {
    if (this.renewsCurves(now)) this.drawCurves();
    const { context, curves } = this;
    const ratio = this.lab.sharpness;
    this.size(curves.width / ratio, curves.height / ratio);
    context.drawImage(curves, 0, 0, curves.width / ratio, curves.height / ratio);
    this.drawCursor();
    this.describeCanvas(this.describe(0, this.at));
    this.drawScrubber();
  }

  /**
   * Whether the curves have to be drawn again; while they only grow, a few times a second.
   * @param {number} now - in milliseconds
   */
  renewsCurves(now) {
    const { meta, lab, room } = this;
    const runs = meta.runs.map(({ id, name, words, first, total, marks }) => [id, name, words, first, total, marks]);
    const key = JSON.stringify([runs, meta.figure, meta.baselines, meta.log, room, lab.sharpness, lab.ink, lab.paper, lab.colours.series]);
    const grown = meta.runs.some((run) => this.track(run).drawn !== this.track(run).version);
    if (key === this.curvesOf && !grown) return false;
    if (key === this.curvesOf && now - this.curvesAt < RENEWED_MS) {
      clearTimeout(this.later);
      this.later = setTimeout(() => this.draw(), RENEWED_MS); // the last ones are not forgotten
      return false;
    }
    this.curvesOf = key;
    this.curvesAt = now;
    return true;
  }

  /** Draw everything but the cursor, out of sight. */
  drawCurves() {
    const seen = /** @type {CanvasRenderingContext2D} */ (this.context);
    this.context = contextOf(this.curves);
    this.layout();
    this.context.lineJoin = "round";
    for (const plot of this.plots) this.drawAxes(plot);
    this.drawMarks();
    this.drawBaselines();
    this.meta.runs.forEach((run, i) => this.drawRun(run, i));
    this.drawNames();
    this.context = seen;
  }

  layout() {
    const { context, meta } = this;
    const width = Math.min(this.room, WIDEST);
    setFont(context, "12px system-ui, sans-serif");
    const top = 24 + (meta.runs.length > 1 ? 18 * meta.runs.length : 0);
    const tracks = meta.runs.map((run) => this.track(run));
    const losses = tracks.flatMap(({ lossSpan }) => lossSpan.ends);
    const figures = [...tracks.flatMap(({ figureSpan }) => figureSpan.ends), ...meta.baselines.map(([, value]) => value)];
    const loss = this.plot(top, LOSS_HIGH, { log: meta.log, label: "loss" }, losses);
    const shares = figures.every((value) => value >= 0 && value <= 1);
    const most = Math.min(1, 1.15 * Math.max(0.1, ...figures)); // a little above what is there and the baselines
    const figure = this.plot(loss.bottom + 34, FIGURE_HIGH, { label: meta.figure, ...(shares && { least: 0, most }) }, figures);
    this.plots = [loss, figure];
    const texts = this.plots.flatMap(({ ticks }) => ticks.map(([, text]) => context.measureText(text).width));
    this.left = Math.ceil(Math.max(28, ...texts)) + 8;
    const total = Math.max(1, ...meta.runs.map((run) => run.total));
    this.x = new Axis({ whole: true, least: 0, most: total }, [], this.left, width - 22);
    this.sizeCurves(width, figure.bottom + 38);
  }

  /**
   * Size the canvas of the curves in CSS pixels, and empty it.
   * @param {number} width
   * @param {number} height
   */
  sizeCurves(width, height) {
    const ratio = this.lab.sharpness;
    this.curves.width = Math.round(width * ratio); // which empties it
    this.curves.height = Math.round(height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  /**
   * @param {number} top
   * @param {number} high
   * @param {Labs.AxisSpec} spec
   * @param {number[]} numbers
   * @returns {Plot}
   */
  plot(top, high, spec, numbers) {
    const y = new Axis(spec, numbers, top + high, top);
    return { top, bottom: top + high, y, ticks: y.ticks(34), label: `${spec.label}${spec.log ? " (log)" : ""}` };
  }

  /**
   * @param {Plot} plot
   */
  drawAxes({ top, bottom, y, ticks, label }) {
    const { context, x, left } = this;
    context.strokeStyle = context.fillStyle = this.lab.ink;
    context.lineWidth = 1;
    context.globalAlpha = 0.15;
    context.beginPath();
    const columns = x.ticks(70);
    for (const [number] of columns) line(context, x.at(number), top, x.at(number), bottom);
    for (const [number] of ticks) line(context, left, y.at(number), x.last, y.at(number));
    context.stroke();
    context.globalAlpha = 0.6;
    context.strokeRect(left, top, x.last - left, bottom - top);
    context.globalAlpha = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const [number, text] of ticks) context.fillText(text, left - 5, y.at(number));
    context.textAlign = "left";
    context.fillText(`↑ ${label}`, 0, top - 11);
    if (bottom !== this.plots[1].bottom) return;
    context.textAlign = "center";
    context.textBaseline = "top";
    for (const [number, text] of columns) context.fillText(text, x.at(number), bottom + 5);
    context.textAlign = "right";
    context.textBaseline = "alphabetic";
    context.fillText("updates →", x.last, bottom + 33);
  }

  /** Where the learning rate was changed, and where a run branched off. */
  drawMarks() {
    const [loss, figure] = this.plots;
    let low = 0;
    for (const run of this.meta.runs) {
      for (const [step, text] of run.marks) {
        const x = this.x.at(step);
        this.dashed(x, loss.top, x, loss.bottom);
        this.dashed(x, figure.top, x, figure.bottom);
        this.write(text, x, loss.top + 4 + 15 * (low++ % 4));
      }
    }
  }

  /** The baselines' lines, each with its name where it crosses no other's. */
  drawBaselines() {
    const [, { y, top, bottom }] = this.plots;
    const taken = /** @type {number[]} */ ([]);
    for (const [name, value] of this.meta.baselines) {
      const at = y.at(value);
      this.dashed(this.left, at, this.x.last, at);
      let place = clamp(at - 15, top, bottom - 14);
      while (taken.some((other) => Math.abs(other - place) < 14) && place > top) place -= 14;
      taken.push(place);
      this.write(`${name}: ${shortNumber(value)}`, this.x.last, place, true);
    }
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} toX
   * @param {number} toY
   */
  dashed(x, y, toX, toY) {
    const { context } = this;
    context.setLineDash([3, 3]);
    context.lineWidth = 1.2;
    context.strokeStyle = this.lab.ink;
    context.beginPath();
    line(context, x, y, toX, toY);
    context.stroke();
    context.setLineDash([]);
  }

  /**
   * Words on the page's colour, beside a place: right of it, or left where `before` or where there is no room.
   * @param {string} text
   * @param {number} x
   * @param {number} y
   */
  write(text, x, y, before = false) {
    const { context } = this;
    setFont(context, "12px system-ui, sans-serif");
    const wide = context.measureText(text).width;
    const left = before || x + wide + 8 > this.x.last ? Math.max(this.left + 2, x - wide - 5) : x + 5;
    context.textAlign = "left";
    context.textBaseline = "top";
    context.fillStyle = this.lab.paper;
    context.globalAlpha = 0.85;
    context.fillRect(left - 2, y - 1, wide + 4, 15);
    context.globalAlpha = 1;
    context.fillStyle = this.lab.ink;
    context.fillText(text, left, y);
  }

  /**
   * A run: faint points and a smoothed line; the held-out figure as a line with markers.
   * @param {Labs.Run} run
   * @param {number} i
   */
  drawRun(run, i) {
    const { context, x } = this;
    const [loss, figure] = this.plots;
    const track = this.track(run);
    const { steps, losses, smooth, at, figures } = track;
    track.drawn = track.version;
    // Before it branched off, a run is the first one.
    const [from, since] = [lastNotAfter(steps, run.first - 1) + 1, lastNotAfter(at, run.first - 1) + 1];
    const colours = this.lab.colours.series ?? [this.lab.ink];
    context.strokeStyle = context.fillStyle = colours[i % colours.length];
    const few = spread(steps.length - from, MOST_POINTS).map((k) => from + k);
    const xs = few.map((k) => x.at(steps[k]));
    this.clipped(loss, () => {
      context.globalAlpha = 0.3;
      few.forEach((k, i) => context.fillRect(xs[i] - 1, loss.y.at(losses[k]) - 1, 2, 2));
      context.globalAlpha = 1;
      drawLine(context, xs, few.map((k) => loss.y.at(smooth[k])), DASHES[i % DASHES.length], 2);
    });
    const [across, high] = [at.slice(since).map((step) => x.at(step)), figures.slice(since).map((value) => figure.y.at(value))];
    this.clipped(figure, () => drawLine(context, across, high, DASHES[i % DASHES.length], 2));
    for (const k of spread(across.length, 60)) drawMarker(context, MARKERS[i % MARKERS.length], across[k], high[k], 3);
  }

  /**
   * @param {Plot} plot
   * @param {() => void} draw
   */
  clipped({ top, bottom }, draw) {
    const { context } = this;
    context.save();
    context.beginPath();
    context.rect(this.left, top - 1, this.x.last - this.left + 2, bottom - top + 2);
    context.clip();
    draw();
    context.restore();
  }

  /** The moment under the cursor: a line through both plots, with a handle. */
  drawCursor() {
    const { context } = this;
    const x = this.x.at(this.at);
    const [loss, figure] = this.plots;
    for (const [colour, width] of /** @type {[string, number][]} */ ([[this.lab.paper, 4], [this.lab.ink, 2]])) {
      context.strokeStyle = context.fillStyle = colour;
      context.lineWidth = width;
      context.beginPath();
      line(context, x, loss.top, x, loss.bottom);
      line(context, x, figure.top, x, figure.bottom);
      context.stroke();
    }
    drawMarker(context, "triangle", x, figure.bottom + 4, 6);
  }

  /** The runs' names with a sample of each, where there are several. */
  drawNames() {
    const { context, meta } = this;
    if (meta.runs.length < 2) return;
    setFont(context, "12px system-ui, sans-serif");
    context.textAlign = "left";
    context.textBaseline = "middle";
    const colours = this.lab.colours.series ?? [this.lab.ink];
    meta.runs.forEach(({ name, words }, i) => {
      const y = 8 + 18 * i;
      context.strokeStyle = context.fillStyle = colours[i % colours.length];
      drawLine(context, [0, 34], [y, y], DASHES[i % DASHES.length], 2);
      drawMarker(context, MARKERS[i % MARKERS.length], 17, y, 4);
      context.fillStyle = this.lab.ink;
      context.fillText(`${name}: ${words}`, 40, y);
    });
  }

  drawScrubber() {
    const { range, output, follow, at } = this;
    const words = `update ${at.toLocaleString("en")}${this.mine === null ? ", the newest" : ""}`;
    this.lab.afterCanvases(() => {
      range.max = String(this.last);
      if (range.valueAsNumber !== at) range.value = String(at);
      range.setAttribute("aria-valuetext", this.describe(0, at));
      setText(output, words);
      follow.setAttribute("aria-pressed", String(this.mine === null));
    });
  }

  table() {
    const heads = ["update", ...this.meta.runs.flatMap(({ name }) => [`${name} loss`, `${name} smoothed`, `${name} ${this.meta.figure}`].map((head) => head.trim()))];
    const steps = [...new Set(this.meta.runs.flatMap((run) => {
      const track = this.track(run);
      return spread(track.steps.length, TABLE_ROWS).map((i) => track.steps[i]);
    }))].sort((a, b) => a - b);
    const rows = steps.map((step) => [step.toLocaleString("en"), ...this.meta.runs.flatMap((run) => {
      const read = step < run.first ? null : this.track(run).read(step);
      return read ? [read.loss, read.smooth, read.figure].map((value) => Number.isNaN(value) ? "–" : shortNumber(value)) : ["–", "–", "–"];
    })]);
    const lines = this.meta.baselines.map(([name, value]) => `${name} ${shortNumber(value)}`).join(", ");
    return numberTable(`${this.spec.label}${lines ? `; baselines: ${lines}` : ""}`, heads, rows);
  }
}
