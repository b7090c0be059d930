/** Lines and points over two axes. */

import { Axis, equalise } from "./axis.js";
import { bothShort, matchLabels, shortSigned } from "./differences.js";
import { numberTable, setFont } from "./dom.js";
import { CanvasPanel, STEPS } from "./panel.js";
import { DASHES, drawLine, drawMarker, line, MARKERS } from "./strokes.js";
import { clamp, fillIn, sameValue, shortNumber } from "./text.js";

/**
 * Where something stands on the canvas, in CSS pixels.
 * @typedef {{ left: number, right: number, top: number, bottom: number }} Area
 */
/**
 * The points of a series.
 * @typedef {{ xs: Float32Array, ys: Float32Array }} Points
 */

/**
 * Lines and points over two axes. The buffer `numbers` holds, series after series, all its xs and
 * then all its ys. A point is a pair [series, point]; NaN leaves a gap.
 *
 * @extends {CanvasPanel<Labs.PlotSpec, Labs.PlotMeta>}
 */
export class PlotPanel extends CanvasPanel {
  /**
   * @param {Labs.PlotSpec} spec
   * @param {Labs.Host} lab
   */
  constructor(spec, lab) {
    super(spec, lab);
    /** @type {Labs.Cell | null} */
    this.hovered = null;
    /** @type {Points[]} */
    this.points = []; // as numbers
    /** @type {Points[]} */
    this.screen = []; // as pixels
    /** @type {Points[]} */
    this.keptScreen = []; // the kept points as pixels, where they are compared
    /** @type {number[]} */
    this.partners = []; // for each series, the kept one of its name; -1 for none
    this.x = new Axis({}, [], 0, 1);
    this.y = new Axis({}, [], 1, 0);
    /** @type {Area} */
    this.box = { left: 0, right: 0, top: 0, bottom: 0 }; // the frame
    /** @type {{ x: [number, string][], y: [number, string][] }} */
    this.ticks = { x: [], y: [] };
    /** @type {ReturnType<PlotPanel["placeNames"]>} */
    this.names = { places: [], width: 0, height: 0 };
  }

  get seenAs() {
    return "plot";
  }

  /**
   * @param {Partial<Labs.PlotMeta>} meta
   * @param {DataView[]} buffers
   */
  update(meta, buffers) {
    super.update(meta, buffers);
    this.meta.chosen = this.exists(this.meta.chosen) ? this.meta.chosen : this.firstPoint();
    if (!this.exists(this.hovered)) this.hovered = null;
  }

  /**
   * @param {Labs.PlotMeta} meta
   * @param {Record<string, ArrayBuffer>} data
   */
  read(meta, data) {
    const numbers = new Float32Array(data.numbers);
    let at = 0;
    this.points = meta.series.map(({ count }) => {
      const [xs, ys] = [numbers.subarray(at, at + count), numbers.subarray(at + count, at + 2 * count)];
      at += 2 * count;
      return { xs, ys };
    });
  }

  snapshot() {
    const series = this.meta.series.map((one, i) => ({ ...one, labels: [...this.labelsOf(i)] }));
    return { series, points: this.points, x: this.axisSpec("x"), y: this.axisSpec("y") };
  }

  /**
   * A map's places mean something among the same points only.
   * @param {ReturnType<PlotPanel["snapshot"]>} before
   */
  unlike(before) {
    const axis = (/** @type {Labs.AxisSpec} */ { label, log }) => [label, Boolean(log)];
    if (!["x", "y"].every((name) => sameValue(axis(this.axisSpec(/** @type {"x" | "y"} */ (name))), axis(before[/** @type {"x" | "y"} */ (name)])))) return "its axes are others now";
    const sorted = (/** @type {string[][]} */ lists) => lists.flat().sort();
    const same = !this.spec.equal || sameValue(sorted(this.meta.series.map((_, i) => this.labelsOf(i))), sorted(before.series.map(({ labels }) => labels)));
    return same ? "" : "it shows other points now";
  }

  contrast() {
    const names = (/** @type {Labs.Series[]} */ series) => series.map(({ name }) => name ?? "");
    this.partners = this.comparing ? matchLabels(names(this.meta.series), names(this.before.series)) : [];
  }

  tellDifference() {
    return "Faint, with dashes: what was kept.";
  }

  /**
   * The kept point of the same label, or at the same x.
   * @param {number} series
   * @param {number} point
   * @returns {{ x: number, y: number } | null}
   */
  keptPoint(series, point) {
    const partner = this.partners[series] ?? -1;
    if (!this.comparing || partner < 0) return null;
    const { xs, ys } = this.before.points[partner];
    const label = this.labelsOf(series)[point];
    const at = label ? this.before.series[partner].labels.indexOf(label) : xs.indexOf(this.points[series].xs[point]);
    return at < 0 || Number.isNaN(ys[at]) ? null : { x: xs[at], y: ys[at] };
  }

  /** The kept series, behind those of now. */
  drawKept() {
    const { context } = this;
    this.keptScreen.forEach(({ xs, ys }, i) => {
      /** @type {Labs.Series} */
      const series = this.before.series[i];
      context.strokeStyle = context.fillStyle = this.colour(series, i);
      context.globalAlpha = series.faint ? 0.2 : 0.5;
      if (series.draws !== "points") this.clipped(() => drawLine(context, xs, ys, [2, 4], series.faint ? 1 : 1.5), 1);
      const marker = MARKERS[(series.style ?? i) % MARKERS.length];
      if (series.draws !== "line") for (let k = 0; k < xs.length; k++) drawMarker(context, marker, xs[k], ys[k], 0.7 * (series.size ?? 3.5));
    });
    context.globalAlpha = 1;
  }

  /**
   * As in any panel; a point that sends its label is found by it, wherever it stands now.
   * @param {Labs.Cell} mine
   * @param {Labs.Cell} theirs
   * @returns {Labs.Cell}
   */
  kept(mine, theirs) {
    const { sends } = this.spec;
    if (sends) return (this.lab.isMoving(sends) && this.withLabel(this.lab.values[sends])) || theirs;
    const cell = this.merged(mine, theirs);
    return this.exists(cell) ? cell : theirs;
  }

  /**
   * @param {string} label
   */
  withLabel(label) {
    /** @type {Labs.Cell[]} */
    const cells = this.meta.series.map((series, i) => [i, series.aside ? -1 : this.labelsOf(i).indexOf(label)]);
    return cells.find(([, point]) => point >= 0);
  }

  /**
   * @param {Labs.Cell | null | undefined} cell
   * @returns {cell is Labs.Cell}
   */
  exists(cell) {
    return cell !== null && cell !== undefined && cell[1] < (this.points[cell[0]]?.xs.length ?? 0);
  }

  /** @returns {Labs.Cell} */
  firstPoint() {
    const series = this.meta.series.findIndex(({ aside, count }) => !aside && count);
    return [Math.max(series, 0), 0];
  }

  /**
   * @param {"x" | "y"} name
   */
  axisSpec(name) {
    const now = { ...this.spec[name], ...this.meta[name] };
    return this.comparing ? withRoomFor(now, this.before[name]) : now;
  }

  // Drawing

  draw() {
    if (!this.ready) return;
    this.layout();
    const { context } = this;
    context.lineJoin = "round";
    this.drawAxes();
    this.clipped(() => {
      this.drawMarks();
      this.drawKept();
      this.meta.series.forEach((series, i) => this.drawSeries(series, i));
      for (const cell of [this.meta.chosen, this.hovered]) if (this.exists(cell)) this.ring(cell);
    });
    this.drawPointLabels();
    this.drawNames();
    const described = this.exists(this.meta.chosen) ? this.describe(...this.meta.chosen) : "";
    this.describeCanvas(described, () => super.say(this.hovered));
  }

  layout() {
    const { context } = this;
    const width = Math.min(this.room, this.spec.widest ?? 720);
    setFont(context, "12px system-ui, sans-serif");
    this.names = this.placeNames(width);
    const top = this.names.height + 26; // the vertical axis's label stands above it and its highest tick
    const inner = this.spec.equal ? Math.min(width - 60, this.spec.height ?? 420) : this.spec.height ?? 220;
    /** @type {Points[]} */
    const kept = this.comparing ? this.before.points : [];
    const all = (/** @type {"xs" | "ys"} */ name) => [...this.points, ...kept].flatMap((points) => Array.from(points[name]));
    const y = new Axis(this.axisSpec("y"), all("ys"), top + inner, top);
    const yTicks = y.ticks(34);
    const left = Math.ceil(Math.max(24, ...yTicks.map(([, text]) => context.measureText(text).width))) + 8;
    const x = new Axis(this.axisSpec("x"), all("xs"), left, this.spec.equal ? left + inner : width - 12);
    if (this.spec.equal) equalise(x, y);
    Object.assign(this, { x, y, box: { left, top, right: x.last, bottom: top + inner } });
    this.ticks = { x: x.ticks(this.axisSpec("x").pitch ?? 56), y: this.spec.equal ? y.ticks(34) : yTicks };
    this.size(Math.max(x.last + 12, this.names.width), top + inner + 38);
    setFont(context, "12px system-ui, sans-serif");
    const place = (/** @type {Points} */ { xs, ys }) => ({
      xs: Float32Array.from(xs, (value) => x.at(value)), ys: Float32Array.from(ys, (value) => y.at(value)),
    });
    this.screen = this.points.map(place);
    this.keptScreen = kept.map(place);
  }

  drawAxes() {
    const { context, box, x, y } = this;
    context.strokeStyle = context.fillStyle = this.lab.ink;
    context.lineWidth = 1;
    context.globalAlpha = 0.15;
    context.beginPath();
    for (const [number] of this.ticks.x) line(context, x.at(number), box.top, x.at(number), box.bottom);
    for (const [number] of this.ticks.y) line(context, box.left, y.at(number), box.right, y.at(number));
    context.stroke();
    context.globalAlpha = 0.6;
    context.strokeRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    context.globalAlpha = 1;
    context.textAlign = "center";
    context.textBaseline = "top";
    for (const [number, text] of this.ticks.x) context.fillText(text, x.at(number), box.bottom + 5);
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const [number, text] of this.ticks.y) context.fillText(text, box.left - 5, y.at(number));
    context.textBaseline = "alphabetic";
    context.fillText(`${this.axisSpec("x").label ?? ""}${x.spec.log ? " (log)" : ""} →`, box.right, box.bottom + 33);
    context.textAlign = "left";
    context.fillText(`↑ ${this.axisSpec("y").label ?? ""}${y.spec.log ? " (log)" : ""}`, Math.max(0, box.left - 30), box.top - 11);
  }

  /**
   * Lines end at the frame; markers and rings upon it are whole.
   * @param {() => void} draw
   */
  clipped(draw, beyond = 7) {
    const { context, box } = this;
    context.save();
    context.beginPath();
    context.rect(box.left - beyond, box.top - beyond, box.right - box.left + 2 * beyond, box.bottom - box.top + 2 * beyond);
    context.clip();
    draw();
    context.restore();
  }

  /** Lines that mark a number on an axis: {axis: "x" or "y", at, label}. */
  drawMarks() {
    const { context, box } = this;
    for (const { axis, at, label } of this.meta.marks ?? []) {
      const place = this[axis].at(at);
      context.setLineDash([3, 3]);
      context.lineWidth = 1.2;
      context.strokeStyle = context.fillStyle = this.lab.ink;
      context.beginPath();
      if (axis === "x") line(context, place, box.top, place, box.bottom);
      else line(context, box.left, place, box.right, place);
      context.stroke();
      context.setLineDash([]);
      context.textBaseline = axis === "x" ? "top" : "bottom";
      if (!label) continue;
      const left = axis === "x" || this.isFreer(box.left + 4, box.right - 4, place, context.measureText(label).width);
      context.textAlign = left ? "left" : "right";
      const beside = left ? box.left + 4 : box.right - 4;
      this.writeOnPaper(label, axis === "x" ? place + 4 : beside, axis === "x" ? box.top + 3 : place - 3);
    }
  }

  /**
   * Whether fewer points lie where a text would stand from the left on than where it would end right.
   * @param {number} left
   * @param {number} right
   * @param {number} y
   * @param {number} width
   */
  isFreer(left, right, y, width) {
    const points = (/** @type {number} */ from, /** @type {number} */ to) => this.screen.reduce((sum, { xs, ys }) =>
      sum + xs.filter((x, k) => x >= from && x <= to && Math.abs(ys[k] - y + 9) < 8).length, 0);
    const [atLeft, atRight] = [points(left, left + width), points(right - width, right)];
    const [series, point] = this.meta.chosen ?? []; // its name stands beside it, and needs room too
    const { xs, ys } = this.screen[series] ?? { xs: [], ys: [] };
    const inTheWay = xs[point] > right - width - 24 && Math.abs(ys[point] - y) < 24;
    return atLeft < atRight || (atLeft === atRight && inTheWay);
  }

  /**
   * Words with the page's colour behind them, so that lines don't run through them.
   * @param {string} text
   * @param {number} x
   * @param {number} y
   */
  writeOnPaper(text, x, y) {
    const { context } = this;
    const width = context.measureText(text).width;
    const [left, top] = [context.textAlign === "right" ? x - width : x, context.textBaseline === "top" ? y : y - 13];
    context.fillStyle = this.lab.paper;
    context.fillRect(left - 2, top, width + 4, 14);
    context.fillStyle = this.lab.ink;
    context.fillText(text, x, y);
  }

  /**
   * @param {Labs.Series} series
   * @param {number} i
   */
  colour(series, i) {
    const colours = this.lab.colours.series ?? [this.lab.ink];
    return series.faint ? this.lab.ink : colours[(series.style ?? i) % colours.length];
  }

  /**
   * @param {Labs.Series} series
   * @param {number} i
   */
  drawSeries(series, i) {
    const { context } = this;
    const { xs, ys } = this.screen[i];
    context.strokeStyle = context.fillStyle = this.colour(series, i);
    context.globalAlpha = series.faint ? 0.35 : 1;
    const dash = DASHES[(series.style ?? i) % DASHES.length];
    if (series.draws !== "points") this.clipped(() => drawLine(context, xs, ys, series.faint ? [] : dash, series.faint ? 1 : 2), 1);
    if (series.draws !== "line") {
      const marker = MARKERS[(series.style ?? i) % MARKERS.length];
      for (let k = 0; k < xs.length; k++) drawMarker(context, marker, xs[k], ys[k], series.size ?? 3.5);
    }
    context.globalAlpha = 1;
  }

  /**
   * @param {Labs.Cell} cell
   */
  ring([series, point]) {
    const { context } = this;
    const [x, y] = [this.screen[series].xs[point], this.screen[series].ys[point]];
    if (!Number.isFinite(x) || !Number.isFinite(y)) return;
    for (const { colour, width } of [{ colour: this.lab.paper, width: 5 }, { colour: this.lab.ink, width: 2.5 }]) {
      context.beginPath();
      context.arc(x, y, 7, 0, 2 * Math.PI);
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.stroke();
    }
  }

  /** Labels of points where they touch no other: the chosen one first, then in the given order. */
  drawPointLabels() {
    const { context } = this;
    context.textBaseline = "middle";
    context.textAlign = "left";
    const taken = this.markers();
    const first = [this.hovered, this.meta.chosen].flatMap((cell) => (this.exists(cell) ? [cell] : []));
    /** @type {Labs.Cell[]} */
    const all = this.meta.series.map((series, i) => ({ series, i }))
      .sort((a, b) => (b.series.first ?? 0) - (a.series.first ?? 0))
      .flatMap(({ i }) => this.labelsOf(i).map((_, point) => /** @type {Labs.Cell} */ ([i, point])));
    const written = all.filter(([series, point]) =>
      !this.meta.series[series].unwritten && !first.some((cell) => cell[0] === series && cell[1] === point));
    [...first, ...written].forEach((cell, rank) => this.drawPointLabel(cell, rank < first.length, taken));
  }

  /** Where the points are: a label must not lie on another's. */
  markers() {
    return this.meta.series.flatMap(({ draws, size = 3.5 }, i) => draws === "line" ? [] : Array.from(this.screen[i].xs, (x, k) => {
      const y = this.screen[i].ys[k];
      return { left: x - size, right: x + size, top: y - size, bottom: y + size };
    }));
  }

  /**
   * Beside its point, above or below it: where there is room first. One that is `bold` is always written.
   * @param {Labs.Cell} cell
   * @param {boolean} bold
   * @param {Area[]} taken
   */
  drawPointLabel([series, point], bold, taken) {
    const { context, box } = this;
    const label = this.labelsOf(series)[point];
    const [x, y] = [this.screen[series].xs[point], this.screen[series].ys[point]];
    if (!label || !Number.isFinite(x) || !Number.isFinite(y)) return;
    setFont(context, `${bold ? "bold " : ""}12px system-ui, sans-serif`);
    const width = context.measureText(label).width;
    const areas = labelPlaces(x, y, width, this.meta.series[series].above ? box : null).map(([left, middle]) => ({ left: left - 2, right: left + width + 2, top: middle - 7, bottom: middle + 7 }))
      .filter(({ left, right, top, bottom }) => left >= box.left - 2 && right <= box.right + 2 && top >= box.top - 6 && bottom <= box.bottom + 6);
    const area = areas.find((one) => !taken.some((other) => overlap(other, one))) ?? (bold ? areas[0] : null);
    if (!area) return;
    taken.push(area);
    if (bold) {
      context.fillStyle = this.lab.paper;
      context.globalAlpha = 0.85;
      context.fillRect(area.left, area.top, width + 4, 14);
      context.globalAlpha = 1;
    }
    context.fillStyle = this.lab.ink;
    context.fillText(label, area.left + 2, area.top + 7);
  }

  /**
   * The series' names with a sample of each, in lines above the plot.
   * @param {number} width
   */
  placeNames(width) {
    const named = this.meta.series.map((series, i) => ({ series, i })).filter(({ series }) => series.name);
    let [x, y, widest] = [0, 0, 0];
    const places = (named.length < 2 && !this.spec.legend ? [] : named).map(({ series, i }) => {
      const needed = 34 + this.context.measureText(series.name ?? "").width + 14;
      if (x && x + needed > width) [x, y] = [0, y + 18];
      const place = { series, i, x, y };
      x += needed;
      widest = Math.max(widest, x);
      return place;
    });
    return { places, width: widest, height: places.length ? y + 20 : 0 };
  }

  drawNames() {
    const { context } = this;
    setFont(context, "12px system-ui, sans-serif");
    context.textAlign = "left";
    context.textBaseline = "middle";
    for (const { series, i, x, y } of this.names.places) {
      context.strokeStyle = context.fillStyle = this.colour(series, i);
      context.globalAlpha = series.faint ? 0.5 : 1;
      const dash = series.faint ? [] : DASHES[(series.style ?? i) % DASHES.length];
      if (series.draws !== "points") drawLine(context, [x, x + 28], [y + 8, y + 8], dash, series.faint ? 1 : 2);
      if (series.draws !== "line") drawMarker(context, MARKERS[(series.style ?? i) % MARKERS.length], x + 14, y + 8, 4);
      context.globalAlpha = 1;
      context.fillStyle = this.lab.ink;
      context.fillText(series.name ?? "", x + 33, y + 8);
    }
  }

  // Choosing

  /**
   * @param {number} series
   */
  labelsOf(series) {
    return this.lab.words(this.meta.series[series].labels) ?? [];
  }

  /**
   * The nearest point: anywhere near a line, and within 40 pixels where there are only points.
   * @param {number} x
   * @param {number} y
   * @returns {Labs.Cell | null}
   */
  cellAt(x, y) {
    /** @type {Labs.Cell | null} */
    let found = null;
    let nearest = Infinity;
    this.eachPoint((cell, px, py, series) => {
      const distance = Math.hypot(px - x, py - y);
      if (distance < nearest && (distance < 40 || series.draws !== "points")) [found, nearest] = [cell, distance];
    });
    return found;
  }

  /**
   * @param {(cell: Labs.Cell, x: number, y: number, series: Labs.Series) => void} visit
   */
  eachPoint(visit) {
    this.screen.forEach(({ xs, ys }, i) => {
      const series = this.meta.series[i];
      if (series.aside) return;
      for (let k = 0; k < xs.length; k++) if (Number.isFinite(xs[k] + ys[k])) visit([i, k], xs[k], ys[k], series);
    });
  }

  /**
   * Along a line, and from line to line; between loose points to the next one in that direction.
   * @param {string} key
   * @returns {Labs.Cell | null}
   */
  target(key) {
    const [series, point] = this.meta.chosen;
    if (!this.exists(this.meta.chosen)) return null;
    const last = this.meta.series[series].count - 1;
    if (key === "Home") return [series, 0];
    if (key === "End") return [series, last];
    const step = STEPS[key];
    if (!step) return null;
    if (this.meta.series[series].draws === "points") return this.nextTowards(step[1], step[0]) ?? [series, point];
    if (step[1]) return [series, clamp(point + step[1], 0, last)];
    return this.otherSeries(series, point, step[0]);
  }

  /**
   * The same place on the line before or after.
   * @param {number} series
   * @param {number} point
   * @param {number} step
   * @returns {Labs.Cell}
   */
  otherSeries(series, point, step) {
    const choosable = this.meta.series.map((_, i) => i).filter((i) => !this.meta.series[i].aside && this.meta.series[i].count);
    const next = choosable[clamp(choosable.indexOf(series) + step, 0, choosable.length - 1)];
    const [here, there] = [this.points[series].xs[point], this.points[next].xs];
    let best = 0;
    for (let k = 1; k < there.length; k++) if (Math.abs(there[k] - here) < Math.abs(there[best] - here)) best = k;
    return [next, best];
  }

  /**
   * @param {number} right
   * @param {number} down
   */
  nextTowards(right, down) {
    const [series, point] = this.meta.chosen;
    const [x, y] = [this.screen[series].xs[point], this.screen[series].ys[point]];
    /** @type {Labs.Cell | null} */
    let found = null;
    let cost = Infinity;
    this.eachPoint((cell, px, py) => {
      const along = (px - x) * right + (py - y) * down;
      const aside = Math.abs((px - x) * down) + Math.abs((py - y) * right);
      if (along > 0.5 && along + 2 * aside < cost) [found, cost] = [cell, along + 2 * aside];
    });
    return found;
  }

  /**
   * As any panel, or, where a point `sends` its label, that: it means the same in any picture.
   * @param {number} series
   * @param {number} point
   */
  choose(series, point) {
    if (!this.spec.sends) return super.choose(series, point);
    if (sameValue([series, point], this.meta.chosen)) return;
    this.meta.chosen = [series, point];
    this.lab.change({ [this.spec.sends]: this.labelsOf(series)[point] });
    this.draw();
  }

  /**
   * @param {Labs.Cell | null} cell
   */
  say(cell = null) {
    if (sameValue(cell, this.hovered)) return;
    this.hovered = cell;
    this.draw();
  }

  /**
   * @param {number} series
   * @param {number} point
   */
  describe(series, point) {
    if (!this.exists([series, point])) return "";
    const { xs, ys } = this.points[series];
    const kept = this.keptPoint(series, point);
    const tick = (/** @type {"x" | "y"} */ name, /** @type {number} */ value) => this.axisSpec(name).ticks?.find(([at]) => at === value)?.[1] ?? shortNumber(value);
    const words = {
      series: this.meta.series[series].name ?? "", label: this.labelsOf(series)[point] ?? "", i: point,
      x: tick("x", xs[point]), y: kept && !this.axisSpec("y").ticks ? bothShort(ys[point], kept.y) : tick("y", ys[point]),
    };
    return fillIn(this.spec.tells ?? "{series}: {x}, {y}", words);
  }

  table() {
    const heads = ["", this.axisSpec("x").label ?? "x", this.axisSpec("y").label ?? "y"];
    const rows = this.meta.series.flatMap((series, i) => series.aside ? [] : Array.from(this.points[i].xs, (x, k) => [
      `${series.name ?? ""} ${this.labelsOf(i)[k] ?? ""}`.trim() || String(k), shortNumber(x), shortNumber(this.points[i].ys[k]),
      ...(this.comparing ? this.keptCells(i, k) : []),
    ]));
    return numberTable(this.spec.label, this.comparing ? [...heads, "was", "difference"] : heads, rows);
  }

  /**
   * @param {number} series
   * @param {number} point
   */
  keptCells(series, point) {
    const kept = this.keptPoint(series, point);
    return kept ? [shortNumber(kept.y), shortSigned(this.points[series].ys[point] - kept.y)] : ["–", "new"];
  }
}

/**
 * Where a label of this width may stand around its point, the best place first: its left end and its middle.
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {{ left: number, right: number } | null} [within] - above or below the point only, between these ends
 * @returns {[number, number][]}
 */
export function labelPlaces(x, y, width, within = null) {
  const middle = x - width / 2;
  const left = within ? clamp(middle, within.left, Math.max(within.left, within.right - width)) : middle;
  /** @type {[number, number][]} */
  const over = [[left, y - 14], [left, y + 14]];
  return within ? over : [[x + 8, y], [x - 8 - width, y], ...over];
}

/**
 * An axis that holds the kept one's range too.
 * @param {Labs.AxisSpec} now
 * @param {Labs.AxisSpec} before
 * @returns {Labs.AxisSpec}
 */
function withRoomFor(now, before) {
  const both = (/** @type {"min" | "max"} */ which, /** @type {number | null | undefined} */ a, /** @type {number | null | undefined} */ b) =>
    typeof a === "number" && typeof b === "number" ? Math[which](a, b) : a;
  return { ...now, least: both("min", now.least, before.least), most: both("max", now.most, before.most) };
}

/**
 * @param {Area} a
 * @param {Area} b
 */
function overlap(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
