/** The curves of a training, and the cursor that chooses the moment that all else shows. */

import { Axis } from "./axis.js";
import { keepKeys, make, newId, numberTable, setFont, setText } from "./dom.js";
import { CanvasPanel } from "./panel.js";
import { DASHES, drawLine, drawMarker, line, MARKERS } from "./strokes.js";
import { clamp, shortNumber } from "./text.js";
import { lastNotAfter, nextMoment, spread, Track } from "./tracks.js";

const LOSS_HIGH = 190; // in CSS pixels
const FIGURE_HIGH = 120;
const WIDEST = 1100;
const MOST_POINTS = 900; // faint points that are drawn of a run
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

  draw() {
    if (!this.ready) return;
    this.layout();
    const { context } = this;
    context.lineJoin = "round";
    for (const plot of this.plots) this.drawAxes(plot);
    this.drawMarks();
    this.drawBaselines();
    this.meta.runs.forEach((run, i) => this.drawRun(run, i));
    this.drawCursor();
    this.drawNames();
    this.describeCanvas(this.describe(0, this.at));
    this.drawScrubber();
  }

  layout() {
    const { context, meta } = this;
    const width = Math.min(this.room, WIDEST);
    setFont(context, "12px system-ui, sans-serif");
    const top = 24 + (meta.runs.length > 1 ? 18 * meta.runs.length : 0);
    const tracks = meta.runs.map((run) => this.track(run));
    const losses = tracks.flatMap(({ smooth, losses }) => [...smooth, ...spread(losses.length, MOST_POINTS).map((i) => losses[i])]);
    const figures = [...tracks.flatMap(({ figures }) => figures), ...meta.baselines.map(([, value]) => value)];
    const loss = this.plot(top, LOSS_HIGH, { log: meta.log, label: "loss" }, losses);
    const shares = figures.every((value) => value >= 0 && value <= 1);
    const most = Math.min(1, 1.15 * Math.max(0.1, ...figures)); // a little above what is there and the baselines
    const figure = this.plot(loss.bottom + 34, FIGURE_HIGH, { label: meta.figure, ...(shares && { least: 0, most }) }, figures);
    this.plots = [loss, figure];
    const texts = this.plots.flatMap(({ ticks }) => ticks.map(([, text]) => context.measureText(text).width));
    this.left = Math.ceil(Math.max(28, ...texts)) + 8;
    const total = Math.max(1, ...meta.runs.map((run) => run.total));
    this.x = new Axis({ whole: true, least: 0, most: total }, [], this.left, width - 22);
    this.size(width, figure.bottom + 38);
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
    const track = this.track(run); // before it branched off, a run is the first one
    const [from, since] = [lastNotAfter(track.steps, run.first - 1) + 1, lastNotAfter(track.at, run.first - 1) + 1];
    const [steps, losses, smooth] = [track.steps, track.losses, track.smooth].map((numbers) => numbers.slice(from));
    const [at, figures] = [track.at, track.figures].map((numbers) => numbers.slice(since));
    const colours = this.lab.colours.series ?? [this.lab.ink];
    context.strokeStyle = context.fillStyle = colours[i % colours.length];
    const xs = steps.map((step) => x.at(step));
    this.clipped(loss, () => {
      context.globalAlpha = 0.3;
      for (const k of spread(steps.length, MOST_POINTS)) context.fillRect(xs[k] - 1, loss.y.at(losses[k]) - 1, 2, 2);
      context.globalAlpha = 1;
      const few = spread(steps.length, 2 * WIDEST);
      drawLine(context, few.map((k) => xs[k]), few.map((k) => loss.y.at(smooth[k])), DASHES[i % DASHES.length], 2);
    });
    const [across, high] = [at.map((step) => x.at(step)), figures.map((value) => figure.y.at(value))];
    this.clipped(figure, () => drawLine(context, across, high, DASHES[i % DASHES.length], 2));
    for (const k of spread(at.length, 60)) drawMarker(context, MARKERS[i % MARKERS.length], across[k], high[k], 3);
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
