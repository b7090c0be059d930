/** What all panels share, and what all that are drawn on a canvas share. */

import { bytesOf, Pixels } from "./codes.js";
import { contextOf, keepKeys, make, newId, partId, setText } from "./dom.js";
import { clamp, sameValue } from "./text.js";

/**
 * What the arrow keys add to a row and a column.
 * @type {Record<string, Labs.Cell>}
 */
export const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * What all panels share: a figure with a caption, a help line and, on request, its numbers in a
 * table. A panel is told its description once (`spec`), then what changed (`update`).
 *
 * @template {Labs.PanelSpec} S
 * @template {Labs.PanelMeta} M
 */
export class Panel {
  /**
   * @param {S} spec
   * @param {Labs.Host} lab
   */
  constructor(spec, lab) {
    this.spec = spec;
    this.lab = lab;
    this.ready = false; // Python has described it
    this.meta = /** @type {M} */ ({});
    const id = newId("panel");
    this.caption = make("figcaption", { id: partId(id, "caption") }, spec.label);
    this.help = spec.help ? make("p", { class: "course-lab-help", id: partId(id, "help") }, spec.help) : null;
    /** @type {any} */
    this.before = null; // what was kept to be compared with, as `snapshot` made it
    this.apart = ""; // why what is shown can't be compared with it
    this.compared = make("p", { class: "course-lab-compared", hidden: true });
    this.node = make("figure", { class: `course-lab-panel is-${spec.kind}`, "data-panel": spec.name }, this.caption, this.compared);
    this.behind = keepKeys(make("div", { // it scrolls, so keys must reach it
      class: "course-lab-behind", hidden: true, tabindex: "0", role: "region", "aria-label": `${spec.label}: numbers`,
    }));
    this.id = id;
  }

  /**
   * Take in the description, and the buffers if they changed, each copied to its own memory.
   * @param {Partial<M>} meta
   * @param {DataView[]} buffers
   */
  update(meta, buffers) {
    this.meta = { ...this.meta, ...meta };
    this.ready = true;
    if (meta.caption) setText(this.caption, meta.caption);
    if (meta.data) this.read(this.meta, Object.fromEntries(Object.entries(meta.data).map(([name, at]) => [name, bytesOf(buffers[at])])));
    if (meta.data) this.compare();
  }

  // Before and after. A kind of panel that compares defines `snapshot`, `unlike`, `contrast` and
  // `tellDifference`; any other shows what is there now.

  /** Keep what is shown now: what follows is shown as difference from it, where it can be compared. */
  keep() {
    this.before = this.ready ? this.snapshot() : null;
    this.compare();
  }

  /** Show what is there now, and no difference. */
  forget() {
    this.before = null;
    this.compare();
  }

  /** Take in that what is shown or what was kept has changed. */
  compare() {
    this.apart = this.before === null ? "" : this.unlike(this.before);
    this.contrast();
  }

  /** Whether differences are shown. */
  get comparing() {
    return this.before !== null && !this.apart;
  }

  /**
   * All that a comparison needs of what is shown now; null where the kind of panel has none.
   * @returns {any}
   */
  snapshot() {
    return null;
  }

  /**
   * Why what is shown now can't be compared with what was kept, as part of a sentence; "" if it can.
   * @param {any} _before
   */
  unlike(_before) {
    return "";
  }

  /** Renew what is derived from both states. */
  contrast() {}

  /** What differs, and how to read it, in words. */
  tellDifference() {
    return "";
  }

  /** Write the line that says what is compared, or why nothing is. */
  sayCompared() {
    const told = this.comparing ? this.tellDifference() : this.apart && `Can't be compared with what was kept: ${this.apart}. This is how it is now.`;
    setText(this.compared, told);
    if (this.compared.hidden === Boolean(told)) this.compared.hidden = !told;
  }

  /**
   * @param {boolean} on
   */
  showTable(on) {
    this.behind.hidden = !on || !this.ready;
    if (this.behind.hidden) this.behind.replaceChildren();
    else this.behind.replaceChildren(this.table());
  }

  /** Take in the room that there is. */
  measure() {}

  /**
   * Take in the numbers.
   * @param {M} _meta
   * @param {Record<string, ArrayBuffer>} _data
   */
  read(_meta, _data) {}

  draw() {}

  /** Let go of what goes on by itself, such as a sound. */
  dispose() {}

  /**
   * Show what is pointed at in another panel: places by name, such as {query: 3}.
   * @param {Record<string, number> | null} _at
   */
  point(_at) {}

  /** @returns {HTMLElement} */
  table() {
    return make("p", {}, "There is no table for this picture.");
  }
}

/**
 * A panel that is a canvas: sized by the room there is, sharp on any screen.
 *
 * @template {Labs.CanvasSpec} S
 * @template {Labs.CanvasMeta} M
 * @extends {Panel<S, M>}
 */
export class CanvasPanel extends Panel {
  /**
   * @param {S} spec
   * @param {Labs.Host} lab
   */
  constructor(spec, lab) {
    super(spec, lab);
    this.pixels = new Pixels();
    this.room = 320;
    this.around = ""; // what stands around the cells
    /** @type {Labs.Cell | null} */
    this.pointed = null; // the cell that is pointed at, here or elsewhere; -1 for any row or column
    /** @type {Labs.Cell | undefined} */
    this.told = undefined; // the choice that Python told last
    this.canvas = keepKeys(make("canvas", {
      tabindex: "0", role: "application", "aria-roledescription": this.seenAs,
      "aria-label": spec.label, "aria-describedby": this.help?.id,
    }));
    this.context = contextOf(this.canvas);
    this.readout = make("p", { class: "course-lab-readout" });
    this.node.append(this.canvas, this.readout, ...(this.help ? [this.help] : []), this.behind);
    this.canvas.addEventListener("keydown", (event) => this.onKey(event));
    this.canvas.addEventListener("pointerdown", (event) => this.onPointer(event, true));
    this.canvas.addEventListener("pointermove", (event) => this.onPointer(event, false));
    this.canvas.addEventListener("pointerup", () => this.onRelease());
    this.canvas.addEventListener("pointercancel", () => this.onRelease());
    this.canvas.addEventListener("pointerleave", () => this.hover(null));
  }

  /**
   * An answer that was on its way does not take back what was chosen meanwhile.
   * @param {Partial<M>} meta
   * @param {DataView[]} buffers
   */
  update(meta, buffers) {
    const mine = this.ready ? this.meta.chosen : null;
    super.update(meta, buffers);
    if (!meta.chosen) return;
    if (mine) this.meta.chosen = this.kept(mine, meta.chosen);
    this.told = meta.chosen;
  }

  /**
   * Of two cells, the learner's as far as Python has not answered to it, within what is there now.
   * @param {Labs.Cell} mine
   * @param {Labs.Cell} theirs
   */
  kept(mine, theirs) {
    return onBoth(this.merged(mine, theirs), (at, i) => clamp(at, 0, Math.max(0, this.shape()[i] - 1)));
  }

  /**
   * What Python is not told of (a plot's line, say) stays until it says something new.
   * @param {Labs.Cell} mine
   * @param {Labs.Cell} theirs
   */
  merged(mine, theirs) {
    const names = this.spec.chooses ?? [];
    return onBoth(theirs, (at, i) => {
      const name = names[i];
      return (name ? this.lab.isMoving(name) : at === this.told?.[i]) ? mine[i] : at;
    });
  }

  /**
   * How many rows and columns there are.
   * @returns {Labs.Cell}
   */
  shape() {
    return [1, 1];
  }

  /**
   * The cell at a place of the canvas, in CSS pixels.
   * @param {number} _x
   * @param {number} _y
   * @returns {Labs.Cell | null}
   */
  cellAt(_x, _y) {
    return null;
  }

  /**
   * A cell in words.
   * @param {number} _row
   * @param {number} _column
   */
  describe(_row, _column) {
    return "";
  }

  get rowLabels() {
    return this.lab.words(this.meta.row_labels);
  }

  get columnLabels() {
    return this.lab.words(this.meta.column_labels);
  }

  /** What a screen reader calls the canvas. */
  get seenAs() {
    return "matrix";
  }

  /** Note the width in CSS pixels that the panel may draw on; reading it at each draw costs. */
  measure() {
    this.room = Math.max(120, this.node.clientWidth || 320);
  }

  /**
   * Size the canvas in CSS pixels, empty it, and let its context draw in them.
   * @param {number} width
   * @param {number} height
   */
  size(width, height) {
    const ratio = this.lab.sharpness;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.clearRect(0, 0, width, height);
    this.context.imageSmoothingEnabled = false;
  }

  /**
   * Draw what stands around the cells, words above all, only where it is not there already.
   * @param {unknown[]} parts
   * @param {[number, number, number, number]} area
   * @param {() => void} draw
   */
  drawAround(parts, area, draw) {
    const key = JSON.stringify([parts, area, this.lab.sharpness, this.lab.ink, this.lab.paper]);
    if (key === this.around) this.context.clearRect(...area);
    else draw();
    this.around = key;
  }

  /**
   * The canvas in words, for those who don't see it, and the line below it.
   * @param {string} words
   * @param {() => void} say
   */
  describeCanvas(words, say = () => this.say()) {
    this.lab.afterCanvases(() => {
      this.canvas.setAttribute("aria-label", `${this.spec.label}. ${words}`);
      say();
    });
  }

  /**
   * Two lines, dark and light, so that the frame is seen on any colour.
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   */
  frame(x, y, width, height, thick = 2) {
    const context = this.context;
    context.lineWidth = thick + 2;
    context.strokeStyle = "#101010";
    context.strokeRect(x, y, width, height);
    context.lineWidth = thick;
    context.strokeStyle = "#ff9d2e";
    context.strokeRect(x, y, width, height);
  }

  /**
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    if (!this.ready || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = this.target(event.key);
    if (target) this.choose(...target);
    else if (event.key === " ") this.act(...this.meta.chosen, event.shiftKey);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * Where a key leads from the chosen cell; null for a key that leads nowhere.
   * @param {string} key
   * @returns {Labs.Cell | null}
   */
  target(key) {
    const step = STEPS[key];
    const [rows, columns] = this.shape();
    const [row, column] = this.meta.chosen;
    if (step) return [clamp(row + step[0], 0, rows - 1), clamp(column + step[1], 0, columns - 1)];
    if (key === "Home") return [row, 0];
    return key === "End" ? [row, columns - 1] : null;
  }

  /**
   * @param {PointerEvent} event
   * @param {boolean} pressed
   */
  onPointer(event, pressed) {
    if (!this.ready) return;
    const box = this.canvas.getBoundingClientRect();
    const cell = this.cellAt(event.clientX - box.left, event.clientY - box.top);
    if (pressed) {
      this.canvas.focus({ preventScroll: true });
      this.canvas.setPointerCapture(event.pointerId); // a drag that ends outside ends here too
      if (cell) this.onPress(...cell);
    } else if (event.buttons & 1) {
      if (cell) this.onDrag(...cell);
    } else {
      this.hover(cell);
    }
  }

  /**
   * Note what is pointed at elsewhere, and draw it where this panel shows such places.
   * @param {Record<string, number> | null} at
   */
  pointTo(at) {
    const [first, second] = [0, 1].map((i) => at?.[this.spec.chooses?.[i] ?? ""] ?? -1);
    /** @type {Labs.Cell | null} */
    const cell = first < 0 && second < 0 ? null : [first, second];
    const [rows, columns] = this.ready ? this.shape() : [0, 0];
    const there = cell && first < rows && second < columns ? cell : null;
    if (sameValue(there, this.pointed)) return;
    this.pointed = there;
    this.draw();
  }

  /**
   * Read the cell under the pointer, and let the other panels show it.
   * @param {Labs.Cell | null} cell
   */
  hover(cell) {
    this.say(cell);
    const names = this.spec.chooses ?? [];
    const at = (cell ?? []).flatMap((place, i) => (names[i] && place >= 0 ? [[names[i], place]] : []));
    this.lab.point(at.length ? Object.fromEntries(at) : null, this);
  }

  /**
   * Choose a cell: Python is asked at once, and the frame moves while it computes.
   * @param {number} row
   * @param {number} column
   */
  choose(row, column) {
    if (row === this.meta.chosen[0] && column === this.meta.chosen[1]) return;
    const before = this.meta.chosen;
    this.meta.chosen = [row, column];
    const [first, second] = this.tells(before);
    this.lab.change({ ...(first && { [first]: row }), ...(second && { [second]: column }) });
    this.draw();
  }

  /**
   * Which of the two places Python is told of, by name.
   * @param {Labs.Cell} _before - what was chosen
   * @returns {(string | null | undefined)[]}
   */
  tells(_before) {
    return this.spec.chooses ?? [];
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  onPress(row, column) {
    this.choose(row, column);
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  onDrag(row, column) {
    this.choose(row, column);
  }

  /** What the end of a drag does. */
  onRelease() {}

  /**
   * What the space key does.
   * @param {number} _row
   * @param {number} _column
   * @param {boolean} _shift
   */
  act(_row, _column, _shift) {}

  /**
   * The line under the picture: the cell under the pointer, else the chosen one.
   * @param {Labs.Cell | null} cell
   */
  say(cell = null) {
    setText(this.readout, this.ready ? this.describe(...(cell ?? this.meta.chosen)) : "");
  }
}

/**
 * @param {Labs.Cell} cell
 * @param {(at: number, i: number) => number} change
 * @returns {Labs.Cell}
 */
function onBoth([first, second], change) {
  return [change(first, 0), change(second, 1)];
}
