/** A recording: played, recorded, and drawn with what is read in it. */

import { readCodes, toBase64 } from "./codes.js";
import { keepKeys, make, numberTable, setFont, setText } from "./dom.js";
import { Microphone } from "./microphone.js";
import { CanvasPanel } from "./panel.js";
import { DASHES } from "./strokes.js";
import { formatNumber } from "./text.js";
import { fromPcm, thinWords, TimeAxis, toPcm } from "./waves.js";

const MARGIN = 62; // CSS pixels beside the pictures, for their names
const MOST_WIDE = 1200;
const SMALL_FONT = "11px system-ui, sans-serif";

/** Where the pictures begin, and how high they are, in CSS pixels. */
const STRIPS = { words: 16, path: 6, energies: 26, high: 132, ticks: 162, curves: 182, rise: 56, looks: 248, deep: 48, end: 304 };

/**
 * A recording. Buffers: `energies` (8-bit codes, high bands first), `curves` (floats: the likeliest word's
 * probability in each frame, then the blank's) and, when a view opens or has asked for it, `sound` (16 bits a sample).
 *
 * @extends {CanvasPanel<Labs.SoundSpec, Labs.SoundMeta>}
 */
export class SoundPanel extends CanvasPanel {
  /**
   * @param {Labs.SoundSpec} spec
   * @param {Labs.Host} lab
   */
  constructor(spec, lab) {
    super(spec, lab);
    this.best = new Float32Array(0);
    this.blank = new Float32Array(0);
    /** @type {ArrayBuffer | null} */
    this.sound = null; // of what is shown; null until Python was asked for it
    this.waiting = false; // to be played when it is there
    this.asked = 0;
    this.axis = new TimeAxis(MARGIN, 1, 1, 1, 1);
    /** @type {AudioContext | null} */
    this.speaker = null; // made when first asked for: a browser lets no page make a sound before that
    /** @type {AudioBufferSourceNode | null} */
    this.source = null;
    this.began = this.from = 0; // when it began by the speaker's clock, and at which second of the sound
    this.microphone = new Microphone(spec.rate, spec.longest);
    this.recording = false;
    this.player = keepKeys(make("button", { type: "button", "data-press": "play" }, "▶ Play"));
    this.player.addEventListener("click", () => this.toggle());
    this.recorder = keepKeys(make("button", { type: "button", "data-press": "record" }, "● Record"));
    this.recorder.addEventListener("click", () => this.record());
    this.state = make("span", { role: "status" });
    const bar = make("div", { class: "course-lab-transport", role: "group", "aria-label": "The sound" }, this.player, this.recorder, this.state);
    this.node.insertBefore(bar, this.canvas);
    this.behind.before(make("p", { class: "course-lab-help" }, `Record: ${spec.privacy}`));
  }

  get seenAs() {
    return "recording";
  }

  /**
   * @param {Labs.SoundMeta} meta
   * @param {Record<string, ArrayBuffer>} data
   */
  read(meta, data) {
    const { rows, columns, frames } = meta;
    this.pixels.resize(columns, rows);
    this.pixels.put(readCodes(data.energies, 8, rows * columns), 0, columns, rows, 0, 0, 8, this.lab.scales.weights);
    this.pixels.flush();
    const curves = new Float32Array(data.curves);
    [this.best, this.blank] = [curves.subarray(0, frames), curves.subarray(frames)];
    this.sound = data.sound ?? null;
    this.stop(); // what is heard is no longer what is seen
    if (this.waiting && this.sound) this.play();
  }

  snapshot() {
    return this.written();
  }

  /** What is read, in words. */
  written() {
    return this.meta.runs.map(({ word }) => word).join(" ") || "nothing";
  }

  tellDifference() {
    const now = this.written();
    return now === this.before ? `Read as before: ${now}.` : `Kept: ${this.before}. Now: ${now}.`;
  }

  /** @returns {Labs.Cell} */
  shape() {
    return [1, this.meta.frames];
  }

  /**
   * @param {number} x
   * @param {number} _y
   * @returns {Labs.Cell | null}
   */
  cellAt(x, _y) {
    const frame = this.axis.frameAt(x);
    return frame === null ? null : [0, frame];
  }

  /**
   * @param {number} _row
   * @param {number} frame
   */
  describe(_row, frame) {
    const { likeliest, looks, chosen, head } = this.meta;
    const told = [`frame ${frame}, ${formatNumber(this.axis.middle(frame))} s: “${likeliest[frame]}”`,
      `word ${formatNumber(this.best[frame], 3)}`, `blank ${formatNumber(this.blank[frame], 3)}`];
    if (looks.length) told.push(`${formatNumber(looks[frame], 3)} of what frame ${chosen[1]} looks at (${head})`);
    return told.join(" · ");
  }

  draw() {
    if (!this.ready) return;
    const { seconds, pitch, frames, looks } = this.meta;
    const width = Math.min(this.room, MOST_WIDE);
    this.axis = new TimeAxis(MARGIN, width - MARGIN - 6, seconds, pitch, frames);
    this.around = "";
    this.size(width, looks.length ? STRIPS.end : STRIPS.curves + STRIPS.rise + 8);
    this.drawWords();
    const [left, right] = [this.axis.at(0), this.axis.at(seconds)];
    this.context.drawImage(this.pixels.canvas, left, STRIPS.energies, right - left, STRIPS.high);
    this.drawTicks();
    this.drawCurves();
    if (looks.length) this.drawLooks();
    this.drawCut();
    this.drawChosen();
    this.describeCanvas(this.describe(...this.meta.chosen));
  }

  /**
   * The name of a picture, at its left.
   * @param {string[]} lines
   * @param {number} top
   */
  name(lines, top) {
    const { context } = this;
    setFont(context, SMALL_FONT);
    context.fillStyle = this.lab.ink;
    context.textAlign = "left";
    context.textBaseline = "top";
    lines.forEach((line, i) => context.fillText(line, 0, top + 13 * i));
  }

  /** The words over the frames that they are read in. */
  drawWords() {
    const { context, axis } = this;
    setFont(context, "12px system-ui, sans-serif");
    const words = this.meta.runs.map(({ word, first, last }) => ({
      word, x: (axis.span(first)[0] + axis.span(last)[1]) / 2, width: context.measureText(word).width,
    }));
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    context.fillStyle = this.lab.ink;
    for (const { word, x } of thinWords(words)) context.fillText(word, x, STRIPS.words - 3);
    context.fillStyle = this.lab.colours.series?.[0] ?? this.lab.ink;
    for (const { first, last } of this.meta.runs) {
      const [from, to] = [axis.span(first)[0], axis.span(last)[1]];
      context.fillRect(from, STRIPS.words, Math.max(1, to - from - 0.5), STRIPS.path);
    }
    this.name(["words"], 4);
    this.name(["energies"], STRIPS.energies + 2);
  }

  drawTicks() {
    const { context, axis } = this;
    setFont(context, SMALL_FONT);
    context.fillStyle = this.lab.ink;
    context.textBaseline = "top";
    for (const second of axis.ticks(44)) {
      const x = axis.at(second);
      context.fillRect(x, STRIPS.energies + STRIPS.high, 1, 4);
      context.textAlign = x + 14 > axis.left + axis.width ? "right" : "center";
      context.fillText(String(second), x, STRIPS.ticks + 2);
    }
    this.name(["seconds"], STRIPS.ticks + 2);
  }

  /** The probability of the likeliest word and of the blank. */
  drawCurves() {
    const { context, axis } = this;
    const bottom = STRIPS.curves + STRIPS.rise;
    this.base(bottom, STRIPS.curves);
    [this.best, this.blank].forEach((curve, i) => {
      context.beginPath();
      curve.forEach((value, frame) => context.lineTo(axis.at(axis.middle(frame)), bottom - value * STRIPS.rise));
      context.setLineDash(i ? DASHES[1] : []);
      context.lineWidth = 1.75;
      context.strokeStyle = this.lab.colours.series?.[i] ?? this.lab.ink;
      context.stroke();
    });
    context.setLineDash([]);
    this.name(["word —", "blank - -", "0 to 1"], STRIPS.curves);
  }

  /** The weights of the chosen frame; the highest is as high as there is room. */
  drawLooks() {
    const { context, axis, meta } = this;
    const top = Math.max(...meta.looks, 1e-6);
    const bottom = STRIPS.looks + STRIPS.deep;
    this.base(bottom, STRIPS.looks);
    context.fillStyle = this.lab.colours.series?.[2] ?? this.lab.ink;
    meta.looks.forEach((weight, frame) => {
      const [from, to] = axis.span(frame);
      const high = (weight / top) * STRIPS.deep;
      context.fillRect(from, bottom - high, Math.max(1, to - from - 0.5), high);
    });
    this.name(["looks at", `0 to ${formatNumber(top)}`], STRIPS.looks);
  }

  /**
   * Two faint lines between which a picture is drawn.
   * @param {number} bottom
   * @param {number} top
   */
  base(bottom, top) {
    const { context, axis } = this;
    context.globalAlpha = 0.3;
    context.fillStyle = this.lab.ink;
    for (const y of [top, bottom]) context.fillRect(axis.left, y, axis.width, 1);
    context.globalAlpha = 1;
  }

  /** The silenced stretch, hatched. */
  drawCut() {
    const [from, to] = this.meta.cut;
    if (!(to > from)) return;
    const { context, axis } = this;
    const [left, right] = [axis.at(from), axis.at(to)];
    const [top, bottom] = [STRIPS.energies, STRIPS.energies + STRIPS.high];
    context.save();
    context.beginPath();
    context.rect(left, top, right - left, bottom - top);
    context.clip();
    context.beginPath();
    for (let x = left - (bottom - top); x < right; x += 9) {
      context.moveTo(x, bottom);
      context.lineTo(x + bottom - top, top);
    }
    context.lineWidth = 1.5;
    context.strokeStyle = "#ffffff";
    context.globalAlpha = 0.7;
    context.stroke();
    context.restore();
    this.frame(left, top, Math.max(1, right - left), bottom - top, 1);
  }

  drawChosen() {
    const [from, to] = this.axis.span(this.meta.chosen[1]);
    const end = this.meta.looks.length ? STRIPS.end - 6 : STRIPS.curves + STRIPS.rise + 2;
    this.frame(from, STRIPS.words - 1, Math.max(2, to - from), end - STRIPS.words, 1);
    if (this.source === null) return;
    const x = this.axis.at(this.second());
    const { context } = this;
    context.fillStyle = "#101010";
    context.fillRect(x - 2, STRIPS.energies, 4, STRIPS.high);
    context.fillStyle = "#ffffff";
    context.fillRect(x - 1, STRIPS.energies, 2, STRIPS.high);
  }

  // --- the sound

  act() {
    this.toggle();
  }

  toggle() {
    if (this.source) this.stop();
    else if (this.waiting) this.waiting = false;
    else this.play();
  }

  /** The second that is heard now. */
  second() {
    return this.from + Math.max(0, (this.speaker?.currentTime ?? 0) - this.began);
  }

  /** Play what is shown, now or when Python has sent it. */
  play() {
    if (!this.ready) return;
    const speaker = this.speaker ??= new AudioContext();
    speaker.resume(); // at the press: later the browser would not let it
    this.waiting = !this.sound;
    if (!this.sound) return this.lab.change({ [this.spec.hears]: ++this.asked });
    const samples = fromPcm(this.sound);
    if (!samples.length) return;
    const buffer = speaker.createBuffer(1, samples.length, this.spec.rate);
    buffer.copyToChannel(samples, 0);
    const source = this.source = speaker.createBufferSource();
    source.buffer = buffer;
    source.connect(speaker.destination);
    source.addEventListener("ended", () => source === this.source && this.stop());
    this.began = speaker.currentTime;
    source.start();
    setText(this.player, "■ Stop");
    this.follow();
  }

  /** Move the line along while the sound is heard. */
  follow() {
    if (!this.source) return;
    if (this.second() > this.meta.seconds + 0.2) return this.stop();
    this.draw();
    requestAnimationFrame(() => this.follow());
  }

  stop() {
    const { source } = this;
    if (!source) return;
    this.source = null;
    source.stop();
    setText(this.player, "▶ Play");
    this.draw();
  }

  // --- the microphone

  record() {
    if (this.recording) return this.microphone.stop();
    this.stop();
    this.microphone.start({
      begun: () => this.heed(true, `Recording: speak now. It ends after ${this.spec.longest} s, or when you press Stop.`),
      done: (samples) => {
        this.heed(false, "");
        this.lab.change({ [this.spec.records]: toBase64(toPcm(samples)) });
      },
      failed: (why) => this.heed(false, why),
    });
  }

  /**
   * @param {boolean} on
   * @param {string} words
   */
  heed(on, words) {
    this.recording = on;
    setText(this.recorder, on ? "■ Stop" : "● Record");
    this.recorder.setAttribute("aria-pressed", String(on));
    setText(this.state, words);
  }

  dispose() {
    this.microphone.abandon();
    this.waiting = false;
    this.source?.stop();
    this.source = null;
    this.speaker?.close();
    this.speaker = null;
  }

  table() {
    const { likeliest, looks } = this.meta;
    const body = likeliest.map((word, frame) => [
      `${formatNumber(this.axis.middle(frame))} s`, word, formatNumber(this.best[frame], 3), formatNumber(this.blank[frame], 3),
      looks.length ? formatNumber(looks[frame], 3) : "–",
    ]);
    return numberTable(this.spec.label, ["middle of the frame", "likeliest", "best word", "blank", "looked at"], body);
  }
}
