/**
 * The one front end of all labs: draws what Python describes, and tells Python what was moved.
 *
 * It knows controls (text, number, range, select, check, button) and panels (grid: many small
 * matrices; matrix: one large one; table: numbers; plot: lines and points over two axes; tokens:
 * a text cut into pieces; steps: a list in words, with the code of the chosen one). A lab is a
 * list of each, declared in Python (course/labs/lab.py describes the messages,
 * course/labs/drawing.py the panels), so a new lab needs no new JavaScript.
 *
 * - At most one request is under way. What is moved meanwhile waits, the newest value of each
 *   control only: the latest request wins, and a drag never queues up.
 * - Every control and canvas is reached by keyboard; JupyterLab leaves keys alone only where the
 *   focused element itself carries data-lm-suppress-shortcuts.
 * - Nothing is loaded from anywhere: no build step, no CDN.
 */

const BUSY_AFTER_MS = 1500;
/** What the arrow keys add to a row and a column. */
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
let uniqueId = 0;

// ------------------------------------------------------------------------------- small helpers

/** Make an element: attributes by name, handlers left out, children appended. */
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Let a control keep its keys: JupyterLab would take arrow keys, and letters in command mode. */
function keepKeys(node) {
  node.setAttribute("data-lm-suppress-shortcuts", "true");
  return node;
}

/** Write text only where it changes, into the text node that is there: a new one costs a layout. */
function setText(node, text) {
  const own = node.firstChild;
  if (own === null || own !== node.lastChild || own.nodeType !== Node.TEXT_NODE) node.textContent = text;
  else if (own.data !== text) own.data = text;
}

function sameValue(a, b) {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** Set a canvas's font only where it differs: setting one makes the browser settle all styles first. */
function setFont(context, font) {
  if (context.font !== font) context.font = font;
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/** A number as a person writes it: "-inf" as a sign, NaN as a dash. */
function formatNumber(value, digits = 2) {
  if (Number.isNaN(value)) return "–";
  if (value === -Infinity) return "−∞";
  if (value === Infinity) return "∞";
  const text = Math.abs(value) >= 10000 ? value.toExponential(1) : value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/** Words for the {places} of a sentence. */
function fillIn(sentence, words) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => words[name]);
}

/** The bytes of a message's buffer, at offset 0 so that wider views of it are aligned. */
function bytesOf(view) {
  return view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
}

function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function toBase64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

// ------------------------------------------------------------------------------------- colours

/** 256 colours between anchors ("#rrggbb"), as the 32-bit words that ImageData holds. */
function makeScale(anchors) {
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

/** Blocked cells are no colour of the scale: a faint grey, hatched where there is room. */
const BLOCKED = (60 << 24) | (128 << 16) | (128 << 8) | 128;

/** What codes mean. The highest code of each width is "blocked"; the others span the scale. */
const CODES = {
  4: { blocked: 15, top: 14 },
  8: { blocked: 255, top: 254 },
  16: { blocked: 65535, top: 65534 },
};

function readCodes(buffer, bits, count) {
  if (bits === 16) return new Uint16Array(buffer, 0, count);
  const bytes = new Uint8Array(buffer);
  if (bits === 8) return bytes;
  const codes = new Uint8Array(count);
  for (let i = 0; i < count; i++) codes[i] = i & 1 ? bytes[i >> 1] >> 4 : bytes[i >> 1] & 15;
  return codes;
}

/** The number that a code stands for; NaN where blocked. */
function decode(code, bits, meta) {
  const { blocked, top } = CODES[bits];
  if (code === blocked) return NaN;
  const share = code / top;
  return meta.scale === "signed" ? (2 * share - 1) * meta.limit : share * share * meta.limit;
}

/** Colour codes into an ImageData-backed canvas of one pixel a code. */
class Pixels {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d");
    this.image = null;
  }

  resize(width, height) {
    if (this.image && this.image.width === width && this.image.height === height) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.image = this.context.createImageData(width, height);
    this.words = new Uint32Array(this.image.data.buffer);
  }

  /** Colour `codes` (rows of `width`) at (left, top). */
  put(codes, start, width, height, left, top, bits, scale) {
    const { blocked, top: highest } = CODES[bits];
    const factor = 255 / highest;
    for (let y = 0; y < height; y++) {
      let target = (top + y) * this.image.width + left;
      for (let x = 0; x < width; x++) {
        const code = codes[start + y * width + x];
        this.words[target++] = code === blocked ? BLOCKED : scale[(code * factor + 0.5) | 0];
      }
    }
  }

  flush() {
    this.context.putImageData(this.image, 0, 0);
  }
}

// ------------------------------------------------------------------------------------ controls

/**
 * One native, labelled control. `spec`: {name, kind, label, ...}; kinds text (placeholder,
 * longest), number and range (least, most, step; a range may say what it `shows` for 0, 1, ...),
 * select (choices [[value, label]]), check, button.
 */
class Control {
  constructor(spec, changed) {
    this.spec = spec;
    this.choices = null;
    const id = `course-lab-control-${++uniqueId}`;
    this.input = keepKeys(this.makeInput(spec, id));
    this.output = spec.kind === "range" ? make("output", { for: id }) : null;
    this.showOutput(); // where the first value is the range's own, nothing else would
    const text = spec.kind === "button" ? null : make("label", { for: id }, spec.label);
    const parts = spec.kind === "check" ? [this.input, text] : [text, this.input, this.output];
    const long = spec.long ? " is-long" : "";
    this.node = make("span", { class: `course-lab-control is-${spec.kind}${long}` }, ...parts);
    if (spec.help) this.input.title = spec.help;
    const event = { button: "click", check: "change", select: "change" }[spec.kind] ?? "input";
    this.input.addEventListener(event, () => {
      this.showOutput();
      changed(spec.name, this.value());
    });
  }

  makeInput(spec, id) {
    if (spec.kind === "button") return make("button", { id, type: "button" }, spec.label);
    if (spec.kind === "select") return make("select", { id });
    const type = { check: "checkbox" }[spec.kind] ?? spec.kind;
    return make("input", {
      id, type, min: spec.least, max: spec.most, step: spec.step, placeholder: spec.placeholder,
      maxlength: spec.longest, autocomplete: "off", spellcheck: "false",
    });
  }

  value() {
    if (this.spec.kind === "button") return true;
    if (this.spec.kind === "check") return this.input.checked;
    if (this.spec.kind === "select") return this.choices[this.input.selectedIndex]?.[0] ?? null;
    if (this.spec.kind === "text") return this.input.value;
    return Number.isNaN(this.input.valueAsNumber) ? null : this.input.valueAsNumber;
  }

  set(value) {
    if (this.spec.kind === "button" || sameValue(value, this.value())) return;
    if (this.spec.kind === "check") this.input.checked = Boolean(value);
    else if (this.spec.kind === "select") this.input.selectedIndex = this.indexOf(value);
    else this.input.value = value ?? "";
    this.showOutput();
  }

  indexOf(value) {
    return (this.choices ?? []).findIndex(([choice]) => sameValue(choice, value));
  }

  setChoices(choices) {
    if (sameValue(choices, this.choices)) return;
    this.choices = choices;
    this.input.replaceChildren(...choices.map(([, label]) => make("option", {}, label)));
  }

  showOutput() {
    if (!this.output) return;
    const value = this.input.valueAsNumber;
    const text = this.spec.shows?.[value] ?? formatNumber(value, this.spec.digits ?? 2);
    setText(this.output, text);
    this.input.setAttribute("aria-valuetext", text);
  }
}

// -------------------------------------------------------------------------------------- panels

/**
 * What all panels share: a figure with a caption, a help line and, on request, its numbers in a
 * table. A panel is told its description once (`spec`), then what changed (`update`).
 */
class Panel {
  constructor(spec, lab) {
    this.spec = spec;
    this.lab = lab;
    this.meta = null;
    const id = `course-lab-panel-${++uniqueId}`;
    this.caption = make("figcaption", { id: `${id}-caption` }, spec.label);
    this.help = spec.help ? make("p", { class: "course-lab-help", id: `${id}-help` }, spec.help) : null;
    this.node = make("figure", { class: `course-lab-panel is-${spec.kind}`, "data-panel": spec.name }, this.caption);
    this.behind = make("div", { class: "course-lab-behind", hidden: true });
    this.id = id;
  }

  /** Take in the description, and the buffers if they changed, each copied to its own memory. */
  update(meta, buffers) {
    this.meta = { ...this.meta, ...meta };
    if (meta.caption) setText(this.caption, meta.caption);
    if (!meta.data) return;
    this.read(this.meta, Object.fromEntries(Object.entries(meta.data).map(([name, at]) => [name, bytesOf(buffers[at])])));
  }

  get rowLabels() {
    return this.lab.words(this.meta.row_labels);
  }

  get columnLabels() {
    return this.lab.words(this.meta.column_labels);
  }

  showTable(on) {
    this.behind.hidden = !on || !this.meta;
    if (this.behind.hidden) this.behind.replaceChildren();
    else this.behind.replaceChildren(this.table());
  }

  measure() {}
  read() {}
  draw() {}
  table() {
    return make("p", {}, "There is no table for this picture.");
  }
}

/** A panel that is a canvas: sized by the room there is, sharp on any screen. */
class CanvasPanel extends Panel {
  constructor(spec, lab) {
    super(spec, lab);
    this.pixels = new Pixels();
    this.canvas = keepKeys(make("canvas", {
      tabindex: "0", role: "application", "aria-roledescription": this.seenAs,
      "aria-label": spec.label, "aria-describedby": spec.help ? `${this.id}-help` : null,
    }));
    this.context = this.canvas.getContext("2d");
    this.readout = make("p", { class: "course-lab-readout" });
    this.node.append(...[this.canvas, this.readout, this.help, this.behind].filter(Boolean));
    this.canvas.addEventListener("keydown", (event) => this.onKey(event));
    this.canvas.addEventListener("pointerdown", (event) => this.onPointer(event, true));
    this.canvas.addEventListener("pointermove", (event) => this.onPointer(event, false));
    this.canvas.addEventListener("pointerup", () => this.onRelease());
    this.canvas.addEventListener("pointercancel", () => this.onRelease());
    this.canvas.addEventListener("pointerleave", () => this.say());
  }

  /** An answer that was on its way does not take back what was chosen meanwhile. */
  update(meta, buffers) {
    const mine = this.meta?.chosen;
    super.update(meta, buffers);
    if (!meta.chosen) return;
    if (mine) this.meta.chosen = this.kept(mine, meta.chosen);
    this.told = meta.chosen;
  }

  /** Of two cells, the learner's as far as Python has not answered to it, within what is there now. */
  kept(mine, theirs) {
    return this.merged(mine, theirs).map((at, i) => clamp(at, 0, Math.max(0, this.shape()[i] - 1)));
  }

  /** What Python is not told of (a plot's line, say) stays until it says something new. */
  merged(mine, theirs) {
    const names = this.spec.chooses ?? [];
    return theirs.map((at, i) => ((names[i] ? this.lab.isMoving(names[i]) : at === this.told?.[i]) ? mine[i] : at));
  }

  /** What a screen reader calls the canvas. */
  get seenAs() {
    return "matrix";
  }

  /** Note the width in CSS pixels that the panel may draw on; reading it at each draw costs. */
  measure() {
    this.room = Math.max(120, this.node.clientWidth || 320);
  }

  /** Size the canvas in CSS pixels, empty it, and let its context draw in them. */
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

  /** Draw what stands around the cells, words above all, only where it is not there already. */
  drawAround(parts, area, draw) {
    const key = JSON.stringify([parts, area, this.lab.sharpness, this.lab.ink, this.lab.paper]);
    if (key === this.around) this.context.clearRect(...area);
    else draw();
    this.around = key;
  }

  /** The canvas in words, for those who don't see it, and the line below it. */
  describeCanvas(words, say = () => this.say()) {
    this.lab.afterCanvases(() => {
      this.canvas.setAttribute("aria-label", `${this.spec.label}. ${words}`);
      say();
    });
  }

  /** Two lines, dark and light, so that the frame is seen on any colour. */
  frame(x, y, width, height, thick = 2) {
    const context = this.context;
    context.lineWidth = thick + 2;
    context.strokeStyle = "#101010";
    context.strokeRect(x, y, width, height);
    context.lineWidth = thick;
    context.strokeStyle = "#ff9d2e";
    context.strokeRect(x, y, width, height);
  }

  onKey(event) {
    if (!this.meta || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = this.target(event.key);
    if (target) this.choose(...target);
    else if (event.key === " ") this.act(...this.meta.chosen, event.shiftKey);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Where a key leads from the chosen cell; nothing for a key that leads nowhere. */
  target(key) {
    const step = STEPS[key];
    const [rows, columns] = this.shape();
    const [row, column] = this.meta.chosen;
    if (step) return [clamp(row + step[0], 0, rows - 1), clamp(column + step[1], 0, columns - 1)];
    if (key === "Home") return [row, 0];
    return key === "End" ? [row, columns - 1] : null;
  }

  onPointer(event, pressed) {
    if (!this.meta) return;
    const box = this.canvas.getBoundingClientRect();
    const cell = this.cellAt(event.clientX - box.left, event.clientY - box.top);
    if (pressed) {
      this.canvas.focus({ preventScroll: true });
      this.canvas.setPointerCapture(event.pointerId); // a drag that ends outside ends here too
      if (cell) this.onPress(...cell, event);
    } else if (event.buttons & 1) {
      if (cell) this.onDrag(...cell);
    } else {
      this.say(cell);
    }
  }

  /** Choose a cell: Python is asked at once, and the frame moves while it computes. */
  choose(row, column) {
    if (row === this.meta.chosen[0] && column === this.meta.chosen[1]) return;
    this.meta.chosen = [row, column];
    const [first, second] = this.spec.chooses ?? [];
    this.lab.change({ ...(first && { [first]: row }), ...(second && { [second]: column }) });
    this.draw();
  }

  onPress(row, column) {
    this.choose(row, column);
  }

  onDrag(row, column) {
    this.choose(row, column);
  }

  /** What the end of a drag, and the space key, do here. */
  onRelease() {}
  act() {}

  /** The line under the picture: the cell under the pointer, else the chosen one. */
  say(cell = null) {
    setText(this.readout, this.meta ? this.describe(...(cell ?? this.meta.chosen)) : "");
  }
}

/** Many small matrices in rows and columns, one of them chosen: every layer and head. */
class GridPanel extends CanvasPanel {
  read(meta, data) {
    const count = meta.side * meta.side;
    const stride = (count + 1) >> 1; // two codes a byte
    const bytes = data.pictures;
    this.numbers = new Float32Array(data.numbers);
    this.pixels.resize(meta.columns * meta.side, meta.rows * meta.side);
    for (let row = 0; row < meta.rows; row++) {
      for (let column = 0; column < meta.columns; column++) {
        const at = (row * meta.columns + column) * stride;
        const codes = readCodes(bytes.slice(at, at + stride), 4, count);
        const scale = this.lab.scales.weights;
        this.pixels.put(codes, 0, meta.side, meta.side, column * meta.side, row * meta.side, 4, scale);
      }
    }
    this.pixels.flush();
  }

  shape() {
    return [this.meta.rows, this.meta.columns];
  }

  draw() {
    if (!this.meta) return;
    const { rows, columns, side, chosen, off } = this.meta;
    const margin = 22;
    const pitch = clamp(Math.floor((this.room - margin) / columns), 14, 74);
    const tile = pitch - 4;
    Object.assign(this, { margin, pitch, tile });
    const { context } = this;
    this.drawAround([rows, columns], [margin - 2, margin - 2, columns * pitch + 4, rows * pitch + 4], () => {
      this.size(margin + columns * pitch + 2, margin + rows * pitch + 2);
      setFont(context, "11px system-ui, sans-serif");
      context.fillStyle = this.lab.ink;
      context.textAlign = "center";
      context.textBaseline = "middle";
      for (let column = 0; column < columns; column++) context.fillText(column, margin + (column + 0.5) * pitch, 10);
      for (let row = 0; row < rows; row++) context.fillText(row, 9, margin + (row + 0.5) * pitch);
    });
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const [x, y] = [margin + column * pitch + 2, margin + row * pitch + 2];
        context.drawImage(this.pixels.canvas, column * side, row * side, side, side, x, y, tile, tile);
      }
    }
    for (const [row, column] of off) this.cross(margin + column * pitch + 2, margin + row * pitch + 2, tile);
    this.frame(margin + chosen[1] * pitch + 1, margin + chosen[0] * pitch + 1, tile + 2, tile + 2);
    this.describeCanvas(this.describe(...chosen));
  }

  /** A head that is switched off: faded and crossed out. */
  cross(x, y, tile) {
    const context = this.context;
    context.fillStyle = this.lab.paper;
    context.globalAlpha = 0.6;
    context.fillRect(x, y, tile, tile);
    context.globalAlpha = 1;
    context.strokeStyle = this.lab.ink;
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x + tile, y + tile);
    context.moveTo(x + tile, y);
    context.lineTo(x, y + tile);
    context.stroke();
  }

  cellAt(x, y) {
    const [column, row] = [x, y].map((at) => Math.floor((at - this.margin) / this.pitch));
    const inside = row >= 0 && column >= 0 && row < this.meta.rows && column < this.meta.columns;
    return inside ? [row, column] : null;
  }

  act() {
    if (this.spec.toggles) this.lab.change({ [this.spec.toggles]: !this.lab.values[this.spec.toggles] });
  }

  describe(row, column) {
    const value = formatNumber(this.numbers[row * this.meta.columns + column]);
    const off = this.meta.off.some(([r, c]) => r === row && c === column);
    return fillIn(this.spec.tells, { i: row, j: column, value }) + (off ? "; switched off" : "");
  }

  table() {
    const { rows, columns } = this.meta;
    const heads = [...Array(columns).keys()].map((c) => `${this.spec.item} ${c}`);
    const body = [...Array(rows).keys()].map((r) => [
      `${this.spec.row} ${r}`,
      ...heads.map((_, c) => formatNumber(this.numbers[r * columns + c])),
    ]);
    return numberTable(`${this.spec.label}: ${this.spec.number}`, ["", ...heads], body);
  }
}

/** One large matrix with its tokens; a cell is chosen, and blocked ones can be painted. */
class MatrixPanel extends CanvasPanel {
  constructor(spec, lab) {
    super(spec, lab);
    this.brush = null;
    this.last = [0, 0]; // where a drag was last
  }

  read(meta, data) {
    const [rows, columns] = this.shape();
    this.codes = readCodes(data.cells, meta.bits, rows * columns);
    this.keepPaint(rows * columns, CODES[meta.bits].blocked);
    this.pixels.resize(columns, rows);
    this.pixels.put(this.codes, 0, columns, rows, 0, 0, meta.bits, this.lab.scales[meta.scale]);
    this.pixels.flush();
  }

  /** A picture that was on its way does not wipe off what was painted meanwhile. */
  keepPaint(count, blocked) {
    const name = this.spec.paints?.name;
    if (!name || !this.lab.isMoving(name)) return;
    const { length, bits } = this.lab.values[name];
    if (length !== this.rowLabels.length) return; // painted on another text
    const painted = fromBase64(bits);
    for (let i = 0; i < count; i++) {
      if ((painted[i >> 3] >> (i & 7)) & 1) this.codes[i] = blocked;
      else if (this.codes[i] === blocked) this.codes[i] = 0;
    }
  }

  shape() {
    return [this.rowLabels.length, this.columnLabels.length];
  }

  code(row, column) {
    return this.codes[row * this.columnLabels.length + column];
  }

  isBlocked(row, column) {
    return this.code(row, column) === CODES[this.meta.bits].blocked;
  }

  layout() {
    const [rows, columns] = this.shape();
    const context = this.context;
    setFont(context, "12px system-ui, sans-serif");
    const widest = (labels) => Math.ceil(Math.max(0, ...labels.map((label) => context.measureText(label).width)));
    const key = this.rowLabels.join("\n") + "\t" + this.columnLabels.join("\n");
    if (key !== this.measured) {
      this.widths = [widest(this.rowLabels), widest(this.columnLabels)];
      this.measured = key;
    }
    const left = clamp(this.widths[0], 8, 110) + 8;
    const top = clamp(this.widths[1], 8, 80) + 8;
    const room = (this.room - left - 4) / columns;
    const wide = clamp(room >= 5 ? Math.floor(room) : room, 2.5, this.spec.widest ?? 40);
    const high = this.spec.row_height ?? wide;
    Object.assign(this, { left, top, wide, high, width: left + columns * wide + 4, height: top + rows * high + 4 });
  }

  draw() {
    if (!this.meta) return;
    this.layout();
    const touch = this.paints ? "none" : "pan-y";
    if (this.canvas.style.touchAction !== touch) this.canvas.style.touchAction = touch;
    const [rows, columns] = this.shape();
    const { left, top, wide, high, context, meta } = this;
    const legend = this.spec.legend ? 34 : 0;
    const area = [left - 4, top - 4, columns * wide + 8, rows * high + 8]; // with the chosen row's frame
    this.drawAround([this.measured, meta.chosen, legend, meta.limit], area, () => {
      this.size(Math.max(this.width, legend ? left + 140 : 0), this.height + legend);
      this.drawLabels();
      if (legend) this.drawLegend(this.height + 6);
    });
    context.drawImage(this.pixels.canvas, 0, 0, columns, rows, left, top, columns * wide, rows * high);
    if (Math.min(wide, high) >= 6) this.hatch(rows, columns);
    if (wide >= 28 && high >= 14 && this.spec.digits) this.drawNumbers(rows, columns);
    if (this.spec.sum) this.drawSumLine(rows, columns);
    this.drawChosen(rows, columns);
    this.describeCanvas(this.describe(...meta.chosen));
  }

  /** A line above the last row, which is the sum of those above it. */
  drawSumLine(rows, columns) {
    this.context.fillStyle = this.lab.ink;
    this.context.fillRect(this.left - 8, this.top + (rows - 1) * this.high - 1, columns * this.wide + 10, 2);
  }

  hatch(rows, columns) {
    const { left, top, wide, high, context } = this;
    context.beginPath();
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        if (!this.isBlocked(row, column)) continue;
        context.moveTo(left + column * wide + 1, top + (row + 1) * high - 1);
        context.lineTo(left + (column + 1) * wide - 1, top + row * high + 1);
      }
    }
    context.lineWidth = 1;
    context.globalAlpha = 0.45;
    context.strokeStyle = this.lab.ink;
    context.stroke();
    context.globalAlpha = 1;
  }

  drawNumbers(rows, columns) {
    const { left, top, wide, high, context, meta } = this;
    const half = CODES[meta.bits].top / 2;
    setFont(context, "11px system-ui, sans-serif");
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        if (this.isBlocked(row, column)) continue;
        const code = this.code(row, column);
        const dark = meta.scale === "signed" ? Math.abs(code - half) > 0.6 * half : code < 1.1 * half;
        context.fillStyle = dark ? "#ffffff" : "#000000";
        const text = formatNumber(decode(code, meta.bits, meta), this.spec.digits);
        context.fillText(text.replace(/^0\./, "."), left + (column + 0.5) * wide, top + (row + 0.5) * high);
      }
    }
  }

  /** Tokens beside rows and above columns; where cells are thin, only the chosen ones. */
  drawLabels() {
    const { left, top, wide, high, context, meta } = this;
    context.textBaseline = "middle";
    context.fillStyle = this.lab.ink;
    context.textAlign = "right";
    this.writeLabels(this.rowLabels, high, meta.chosen[0], (label, row) => {
      context.fillText(label, left - 5, top + (row + 0.5) * high, left - 6);
    });
    context.save();
    context.translate(left, top - 5);
    context.rotate(-Math.PI / 2); // x runs up the page now, and y to the right
    context.textAlign = "left";
    this.writeLabels(this.columnLabels, wide, meta.chosen[1], (label, column) => {
      context.fillText(label, 0, (column + 0.5) * wide, top - 6);
    });
    context.restore();
  }

  writeLabels(labels, pitch, chosen, write) {
    const font = `${clamp(pitch - 1, 9, 12)}px system-ui, sans-serif`;
    setFont(this.context, font);
    if (pitch >= 9) labels.forEach((label, i) => label && i !== chosen && write(label, i));
    setFont(this.context, `bold ${font}`);
    if (labels[chosen]) write(labels[chosen], chosen);
  }

  drawChosen(rows, columns) {
    const { left, top, wide, high, context } = this;
    const [row, column] = this.meta.chosen;
    context.lineWidth = 1;
    context.strokeStyle = "#101010";
    context.strokeRect(left - 1.5, top + row * high - 1.5, columns * wide + 3, high + 3);
    context.strokeStyle = "#ffffff";
    context.strokeRect(left - 0.5, top + row * high - 0.5, columns * wide + 1, high + 1);
    this.frame(left + column * wide, top + row * high, wide, high);
  }

  /** The scale: the colour of a number, with a few numbers under it. */
  drawLegend(y) {
    const { left, context, meta } = this;
    const width = clamp(this.width - left - 8, 120, 260);
    context.drawImage(this.lab.legend(meta.scale), left, y, width, 9);
    context.fillStyle = this.lab.ink;
    setFont(context, "11px system-ui, sans-serif");
    context.textBaseline = "top";
    const marks = meta.scale === "signed" ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1];
    marks.forEach((share, i) => {
      context.textAlign = i === 0 ? "left" : i === marks.length - 1 ? "right" : "center";
      const value = meta.scale === "signed" ? (2 * share - 1) * meta.limit : share * share * meta.limit;
      context.fillText(formatNumber(value), left + share * width, y + 12);
    });
  }

  cellAt(x, y) {
    const [rows, columns] = this.shape();
    const [column, row] = [(x - this.left) / this.wide, (y - this.top) / this.high].map(Math.floor);
    return row >= 0 && column >= 0 && row < rows && column < columns ? [row, column] : null;
  }

  describe(row, column) {
    const { bits } = this.meta;
    const words = { i: row, row: this.rowLabels[row], j: column, column: this.columnLabels[column] };
    if (this.isBlocked(row, column)) return fillIn(this.spec.tells, { ...words, value: "blocked" });
    const value = formatNumber(decode(this.code(row, column), bits, this.meta), bits === 16 ? 3 : 2);
    return fillIn(this.spec.tells, { ...words, value: bits === 16 ? value : `about ${value}` });
  }

  // Painting. The brush is set by the first cell: it blocks, or it frees.

  get paints() {
    return this.spec.paints && this.lab.values[this.spec.paints.when[0]] === this.spec.paints.when[1];
  }

  onPress(row, column) {
    this.last = [row, column];
    if (this.paints) {
      this.brush = !this.isBlocked(row, column);
      this.paint([[row, column]], this.brush);
    }
    this.choose(row, column);
  }

  onDrag(row, column) {
    if (this.brush !== null) this.paint(cellsBetween(...this.last, row, column), this.brush);
    this.last = [row, column];
    this.choose(row, column);
  }

  onRelease() {
    this.brush = null;
  }

  /** Space blocks or frees the chosen cell; with shift, the key's whole column. */
  act(row, column, wholeColumn) {
    if (!this.spec.paints) return;
    const [rows] = this.shape();
    const cells = wholeColumn ? [...Array(rows).keys()].map((r) => [r, column]) : [[row, column]];
    this.paint(cells, !this.isBlocked(row, column));
  }

  /** Paint on what is blocked now, so that painting can start from any other mask. */
  paint(cells, block) {
    const [rows, columns] = this.shape();
    const { blocked } = CODES[this.meta.bits];
    for (const [row, column] of cells) {
      const at = row * columns + column;
      if (this.isBlocked(row, column) === block) continue;
      this.codes[at] = block ? blocked : 0;
      this.pixels.put(this.codes, at, 1, 1, column, row, this.meta.bits, this.lab.scales[this.meta.scale]);
    }
    this.pixels.flush();
    this.draw();
    const bits = new Uint8Array((rows * columns + 7) >> 3);
    for (let i = 0; i < rows * columns; i++) if (this.codes[i] === blocked) bits[i >> 3] |= 1 << (i & 7);
    const { name, when } = this.spec.paints;
    this.lab.change({ [when[0]]: when[1], [name]: { length: rows, bits: toBase64(bits) } });
  }

  table() {
    const [rows, columns, { bits }] = [this.rowLabels, this.columnLabels, this.meta];
    const body = rows.map((label, row) => [
      label,
      ...columns.map((_, column) => formatNumber(decode(this.code(row, column), bits, this.meta), 2)),
    ]);
    return numberTable(`${this.spec.label}; – is blocked`, [this.spec.corner, ...columns], body);
  }
}

/** The cells on the straight line between two: a fast drag leaves no holes. */
function cellsBetween(row, column, toRow, toColumn) {
  const steps = Math.max(Math.abs(toRow - row), Math.abs(toColumn - column), 1);
  return [...Array(steps + 1).keys()].map((i) => [
    Math.round(row + ((toRow - row) * i) / steps),
    Math.round(column + ((toColumn - column) * i) / steps),
  ]);
}

/** Numbers in a real table: it needs no table behind it. One column may carry a bar. */
class TablePanel extends Panel {
  constructor(spec, lab) {
    super(spec, lab);
    this.head = make("thead");
    this.body = make("tbody");
    this.foot = make("tfoot");
    this.scroller = keepKeys(make("div", {
      class: "course-lab-scroller", tabindex: "0", role: "region", "aria-labelledby": `${this.id}-caption`,
    }, make("table", {}, this.head, this.body, this.foot)));
    this.node.classList.toggle("has-wide-labels", Boolean(spec.wide_labels));
    this.node.append(...[this.scroller, this.help].filter(Boolean));
    this.body.addEventListener("click", (event) => {
      const row = event.target.closest("tr");
      if (row && spec.chooses) this.lab.change({ [spec.chooses]: row.sectionRowIndex });
    });
  }

  read(meta, data) {
    this.numbers = new Float32Array(data.numbers);
  }

  showTable() {}

  draw() {
    if (!this.meta) return;
    const { columns, foot_labels: foot, chosen } = this.meta;
    const rows = this.rowLabels;
    const width = columns.length;
    this.fillHead(["", ...columns.map((column) => column.label)]);
    this.fill(this.body, rows.length, width);
    this.fill(this.foot, foot.length, width);
    [...rows, ...foot].forEach((label, i) => {
      const row = i < rows.length ? this.body.rows[i] : this.foot.rows[i - rows.length];
      row.classList.toggle("is-chosen", i === chosen);
      setText(row.cells[0], label);
      columns.forEach((column, c) => this.fillCell(row.cells[c + 1], column, this.numbers[i * width + c], i < rows.length));
    });
    this.reveal(chosen);
  }

  fillHead(labels) {
    const cells = this.head.rows[0]?.cells ?? [];
    if (cells.length === labels.length) labels.forEach((label, i) => setText(cells[i], label));
    else this.head.replaceChildren(make("tr", {}, ...labels.map((label) => make("th", { scope: "col" }, label))));
  }

  fillCell(cell, column, value, withBar) {
    setText(cell, Number.isNaN(value) ? "" : formatNumber(value, column.digits ?? 2));
    if (!column.bar) return;
    const share = withBar && value > 0 ? Math.min(value / column.bar, 1) : 0;
    cell.style.setProperty("--share", share.toFixed(3));
    cell.className = "has-bar";
  }

  /** Bring a section to so many rows of so many numbers, reusing what is there. */
  fill(section, count, width) {
    while (section.rows.length > count) section.deleteRow(-1);
    while (section.rows.length < count) section.insertRow().append(make("th", { scope: "row" }));
    for (const row of section.rows) {
      while (row.cells.length > width + 1) row.deleteCell(-1);
      while (row.cells.length < width + 1) row.insertCell();
    }
  }

  /** Scroll inside of the panel only: the page must not jump under the learner. */
  reveal(index) {
    if (index === this.revealed || index === undefined || index < 0) return;
    this.revealed = index;
    const row = this.body.rows[index];
    if (!row) return;
    const box = this.scroller;
    if (box.scrollHeight <= box.clientHeight) return;
    const room = box.clientHeight - this.head.offsetHeight - this.foot.offsetHeight;
    const at = row.offsetTop - this.head.offsetHeight;
    if (at < box.scrollTop) box.scrollTop = at;
    else if (at + row.offsetHeight > box.scrollTop + room) box.scrollTop = at + row.offsetHeight - room;
  }
}

function numberTable(caption, head, body) {
  return make("table", {},
    make("caption", {}, caption),
    make("thead", {}, make("tr", {}, ...head.map((label) => make("th", { scope: "col" }, label)))),
    make("tbody", {}, ...body.map(([label, ...numbers]) => make("tr", {},
      make("th", { scope: "row" }, label), ...numbers.map((number) => make("td", {}, number))))));
}

// ---------------------------------------------------------------------------------- plot panel

/** Lines are told apart by colour and dash, points by colour and marker. */
const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3], [14, 4], [4, 2, 1, 2, 1, 2]];
const MARKERS = ["disc", "square", "triangle", "diamond", "cross", "plus"];

/** A number in at most four significant digits, without a tail of zeros. */
function shortNumber(value) {
  if (!Number.isFinite(value)) return formatNumber(value);
  const size = Math.abs(value);
  const text = size !== 0 && (size >= 1e6 || size < 1e-4) ? String(Number(value.toPrecision(3)).toExponential()) : String(Number(value.toPrecision(4)));
  return text.replaceAll("-", "−").replace("e+", "e");
}

/** One axis: from numbers to pixels, and its ticks. `spec`: {label, log, whole, least, most, ticks}. */
class Axis {
  constructor(spec, numbers, first, last) {
    this.spec = spec;
    const shown = numbers.filter((number) => Number.isFinite(number) && (!spec.log || number > 0));
    const [low, high] = shown.length ? extremes(shown) : [spec.log ? 1 : 0, spec.log ? 10 : 1];
    this.first = first; // in pixels, where the least number lies
    this.last = last;
    this.least = this.scaled(spec.least ?? low);
    this.most = this.scaled(spec.most ?? high);
    if (!(this.most > this.least)) [this.least, this.most] = [this.least - 0.5, this.least + 0.5];
    const margin = (this.most - this.least) * 0.05;
    if (spec.least === undefined || spec.least === null) this.least -= margin;
    if (spec.most === undefined || spec.most === null) this.most += margin;
  }

  scaled(number) {
    return this.spec.log ? Math.log10(number) : number;
  }

  /** Where a number lies, in pixels; NaN where a logarithm has none. */
  at(number) {
    const share = (this.scaled(number) - this.least) / (this.most - this.least);
    return Number.isFinite(share) ? this.first + share * (this.last - this.first) : NaN;
  }

  /** `[number, text]` of each tick, about one every `pitch` pixels. */
  ticks(pitch) {
    if (this.spec.ticks) return this.thinned(this.spec.ticks, pitch);
    const most = Math.max(2, Math.abs(this.last - this.first) / pitch);
    return this.spec.log ? this.logTicks(most) : this.evenTicks(most);
  }

  /** Given ticks, every second, third, ... where they would touch. */
  thinned(ticks, pitch) {
    const seen = ticks.filter(([number]) => this.scaled(number) >= this.least && this.scaled(number) <= this.most);
    const every = Math.ceil((seen.length * pitch) / Math.max(1, Math.abs(this.last - this.first)));
    return seen.filter((_, i) => i % Math.max(1, every) === 0);
  }

  evenTicks(most) {
    const rough = (this.most - this.least) / most;
    const power = 10 ** Math.floor(Math.log10(rough));
    let step = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) * power;
    if (this.spec.whole) step = Math.max(1, Math.round(step));
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const ticks = [];
    for (let i = Math.ceil(this.least / step - 1e-6); i * step <= this.most + step * 1e-6; i++) {
      ticks.push([i * step, digits > 4 || Math.abs(i * step) >= 1e5 ? shortNumber(i * step) : formatNumber(i * step, digits)]);
    }
    return ticks;
  }

  logTicks(most) {
    const decades = this.most - this.least;
    if (decades < 1) return this.evenLogTicks();
    const factors = decades * 3 <= most ? [1, 2, 5] : [1];
    const every = Math.max(1, Math.ceil(decades / most));
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

  /** Less than a decade: a few numbers between its ends. */
  evenLogTicks() {
    return [0.1, 0.5, 0.9].map((share) => {
      const number = Number((10 ** (this.least + share * (this.most - this.least))).toPrecision(2));
      return [number, shortNumber(number)];
    });
  }
}

function extremes(numbers) {
  let [low, high] = [Infinity, -Infinity];
  for (const number of numbers) {
    if (number < low) low = number;
    if (number > high) high = number;
  }
  return [low, high];
}

/**
 * Lines and points over two axes. The buffer `numbers` holds, series after series, all its xs and
 * then all its ys. A point is a pair [series, point]; NaN leaves a gap.
 */
class PlotPanel extends CanvasPanel {
  constructor(spec, lab) {
    super(spec, lab);
    this.hovered = null;
    this.points = [];
  }

  get seenAs() {
    return "plot";
  }

  update(meta, buffers) {
    super.update(meta, buffers);
    this.meta.chosen = this.exists(this.meta.chosen) ? this.meta.chosen : this.firstPoint();
    if (!this.exists(this.hovered)) this.hovered = null;
  }

  read(meta, data) {
    const numbers = new Float32Array(data.numbers);
    let at = 0;
    this.points = meta.series.map(({ count }) => {
      const [xs, ys] = [numbers.subarray(at, at + count), numbers.subarray(at + count, at + 2 * count)];
      at += 2 * count;
      return { xs, ys };
    });
  }

  /** As in any panel; a point that sends its label is found by it, wherever it stands now. */
  kept(mine, theirs) {
    const { sends } = this.spec;
    if (sends) return (this.lab.isMoving(sends) && this.withLabel(this.lab.values[sends])) || theirs;
    const cell = this.merged(mine, theirs);
    return this.exists(cell) ? cell : theirs;
  }

  withLabel(label) {
    const cells = this.meta.series.map((series, i) => [i, series.aside ? -1 : this.labelsOf(i).indexOf(label)]);
    return cells.find(([, point]) => point >= 0);
  }

  exists(cell) {
    return Boolean(cell) && cell[1] < (this.points[cell[0]]?.xs.length ?? 0);
  }

  firstPoint() {
    const series = this.meta.series.findIndex(({ aside, count }) => !aside && count);
    return [Math.max(series, 0), 0];
  }

  axisSpec(name) {
    return { ...this.spec[name], ...this.meta[name] };
  }

  // Drawing

  draw() {
    if (!this.meta) return;
    this.layout();
    const { context } = this;
    context.lineJoin = "round";
    this.drawAxes();
    this.clipped(() => {
      this.drawMarks();
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
    const all = (name) => this.points.flatMap((points) => Array.from(points[name]));
    const y = new Axis(this.axisSpec("y"), all("ys"), top + inner, top);
    const yTicks = y.ticks(34);
    const left = Math.ceil(Math.max(24, ...yTicks.map(([, text]) => context.measureText(text).width))) + 8;
    const x = new Axis(this.axisSpec("x"), all("xs"), left, this.spec.equal ? left + inner : width - 12);
    if (this.spec.equal) equalise(x, y);
    Object.assign(this, { x, y, box: { left, top, right: x.last, bottom: top + inner } });
    this.ticks = { x: x.ticks(this.axisSpec("x").pitch ?? 56), y: this.spec.equal ? y.ticks(34) : yTicks };
    this.size(Math.max(x.last + 12, this.names.width), top + inner + 38);
    setFont(context, "12px system-ui, sans-serif");
    this.screen = this.points.map(({ xs, ys }) => ({
      xs: Float32Array.from(xs, (value) => x.at(value)), ys: Float32Array.from(ys, (value) => y.at(value)),
    }));
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

  /** Lines end at the frame; markers and rings upon it are whole. */
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

  /** Whether fewer points lie where a text would stand from the left on than where it would end right. */
  isFreer(left, right, y, width) {
    const points = (from, to) => this.screen.reduce((sum, { xs, ys }) =>
      sum + xs.reduce((count, x, k) => count + (x >= from && x <= to && Math.abs(ys[k] - y + 9) < 8), 0), 0);
    const [atLeft, atRight] = [points(left, left + width), points(right - width, right)];
    const [series, point] = this.meta.chosen ?? []; // its name stands beside it, and needs room too
    const { xs, ys } = this.screen[series] ?? { xs: [], ys: [] };
    const inTheWay = xs[point] > right - width - 24 && Math.abs(ys[point] - y) < 24;
    return atLeft < atRight || (atLeft === atRight && inTheWay);
  }

  /** Words with the page's colour behind them, so that lines don't run through them. */
  writeOnPaper(text, x, y) {
    const { context } = this;
    const width = context.measureText(text).width;
    const [left, top] = [context.textAlign === "right" ? x - width : x, context.textBaseline === "top" ? y : y - 13];
    context.fillStyle = this.lab.paper;
    context.fillRect(left - 2, top, width + 4, 14);
    context.fillStyle = this.lab.ink;
    context.fillText(text, x, y);
  }

  colour(series, i) {
    const colours = this.lab.colours.series ?? [this.lab.ink];
    return series.faint ? this.lab.ink : colours[(series.style ?? i) % colours.length];
  }

  drawSeries(series, i) {
    const { context } = this;
    const { xs, ys } = this.screen[i];
    context.strokeStyle = context.fillStyle = this.colour(series, i);
    context.globalAlpha = series.faint ? 0.35 : 1;
    const dash = DASHES[(series.style ?? i) % DASHES.length];
    if (series.draws !== "points") this.clipped(() => this.drawLine(xs, ys, dash, series.faint), 1);
    if (series.draws !== "line") {
      const marker = MARKERS[(series.style ?? i) % MARKERS.length];
      for (let k = 0; k < xs.length; k++) this.marker(marker, xs[k], ys[k], series.size ?? 3.5);
    }
    context.globalAlpha = 1;
  }

  drawLine(xs, ys, dash, faint) {
    const { context } = this;
    context.lineWidth = faint ? 1 : 2;
    context.setLineDash(faint ? [] : dash);
    context.beginPath();
    let drawing = false;
    for (let k = 0; k < xs.length; k++) {
      const there = Number.isFinite(xs[k]) && Number.isFinite(ys[k]);
      if (there && drawing) context.lineTo(xs[k], ys[k]);
      else if (there) context.moveTo(xs[k], ys[k]);
      drawing = there;
    }
    context.stroke();
    context.setLineDash([]);
  }

  marker(kind, x, y, r) {
    const { context } = this;
    if (!Number.isFinite(x) || !Number.isFinite(y)) return;
    context.beginPath();
    if (kind === "disc") context.arc(x, y, r, 0, 2 * Math.PI);
    else if (kind === "square") context.rect(x - r, y - r, 2 * r, 2 * r);
    else if (kind === "triangle") polygon(context, [[x, y - 1.3 * r], [x + 1.2 * r, y + r], [x - 1.2 * r, y + r]]);
    else if (kind === "diamond") polygon(context, [[x, y - 1.4 * r], [x + 1.4 * r, y], [x, y + 1.4 * r], [x - 1.4 * r, y]]);
    else {
      const [a, b] = kind === "cross" ? [r, r] : [1.4 * r, 0];
      line(context, x - a, y - b, x + a, y + b);
      line(context, x - b, y + a, x + b, y - a);
      context.lineWidth = 2;
      context.stroke();
      return;
    }
    context.fill();
  }

  ring([series, point]) {
    const { context } = this;
    const [x, y] = [this.screen[series].xs[point], this.screen[series].ys[point]];
    if (!Number.isFinite(x) || !Number.isFinite(y)) return;
    for (const [colour, width] of [[this.lab.paper, 5], [this.lab.ink, 2.5]]) {
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
    const first = [this.hovered, this.meta.chosen].filter((cell) => this.exists(cell));
    const all = this.meta.series.map((series, i) => ({ series, i }))
      .sort((a, b) => (b.series.first ?? 0) - (a.series.first ?? 0))
      .flatMap(({ i }) => this.labelsOf(i).map((_, point) => [i, point]));
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

  /** Beside its point, above or below it: where there is room first. One that is `bold` is always written. */
  drawPointLabel([series, point], bold, taken) {
    const { context, box } = this;
    const label = this.labelsOf(series)[point];
    const [x, y] = [this.screen[series].xs[point], this.screen[series].ys[point]];
    if (!label || !Number.isFinite(x) || !Number.isFinite(y)) return;
    setFont(context, `${bold ? "bold " : ""}12px system-ui, sans-serif`);
    const width = context.measureText(label).width;
    const places = [[x + 8, y], [x - 8 - width, y], [x - width / 2, y - 14], [x - width / 2, y + 14]];
    const areas = places.map(([left, middle]) => ({ left: left - 2, right: left + width + 2, top: middle - 7, bottom: middle + 7 }))
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

  /** The series' names with a sample of each, in lines above the plot. */
  placeNames(width) {
    const named = this.meta.series.map((series, i) => ({ series, i })).filter(({ series }) => series.name);
    let [x, y, widest] = [0, 0, 0];
    const places = (named.length < 2 && !this.spec.legend ? [] : named).map(({ series, i }) => {
      const needed = 34 + this.context.measureText(series.name).width + 14;
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
      if (series.draws !== "points") this.drawLine([x, x + 28], [y + 8, y + 8], DASHES[(series.style ?? i) % DASHES.length], series.faint);
      if (series.draws !== "line") this.marker(MARKERS[(series.style ?? i) % MARKERS.length], x + 14, y + 8, 4);
      context.globalAlpha = 1;
      context.fillStyle = this.lab.ink;
      context.fillText(series.name, x + 33, y + 8);
    }
  }

  // Choosing

  labelsOf(series) {
    return this.lab.words(this.meta.series[series].labels) ?? [];
  }

  /** The nearest point: anywhere near a line, and within 40 pixels where there are only points. */
  cellAt(x, y) {
    let [found, nearest] = [null, Infinity];
    this.eachPoint((cell, px, py, series) => {
      const distance = Math.hypot(px - x, py - y);
      if (distance < nearest && (distance < 40 || series.draws !== "points")) [found, nearest] = [cell, distance];
    });
    return found;
  }

  eachPoint(visit) {
    this.screen?.forEach(({ xs, ys }, i) => {
      const series = this.meta.series[i];
      if (series.aside) return;
      for (let k = 0; k < xs.length; k++) if (Number.isFinite(xs[k] + ys[k])) visit([i, k], xs[k], ys[k], series);
    });
  }

  /** Along a line, and from line to line; between loose points to the next one in that direction. */
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

  /** The same place on the line before or after. */
  otherSeries(series, point, step) {
    const choosable = this.meta.series.map((_, i) => i).filter((i) => !this.meta.series[i].aside && this.meta.series[i].count);
    const next = choosable[clamp(choosable.indexOf(series) + step, 0, choosable.length - 1)];
    const [here, there] = [this.points[series].xs[point], this.points[next].xs];
    let best = 0;
    for (let k = 1; k < there.length; k++) if (Math.abs(there[k] - here) < Math.abs(there[best] - here)) best = k;
    return [next, best];
  }

  nextTowards(right, down) {
    const [series, point] = this.meta.chosen;
    const [x, y] = [this.screen[series].xs[point], this.screen[series].ys[point]];
    let [found, cost] = [null, Infinity];
    this.eachPoint((cell, px, py) => {
      const along = (px - x) * right + (py - y) * down;
      const aside = Math.abs((px - x) * down) + Math.abs((py - y) * right);
      if (along > 0.5 && along + 2 * aside < cost) [found, cost] = [cell, along + 2 * aside];
    });
    return found;
  }

  /** As any panel, or, where a point `sends` its label, that: it means the same in any picture. */
  choose(series, point) {
    if (!this.spec.sends) return super.choose(series, point);
    if (sameValue([series, point], this.meta.chosen)) return;
    this.meta.chosen = [series, point];
    this.lab.change({ [this.spec.sends]: this.labelsOf(series)[point] });
    this.draw();
  }

  say(cell = null) {
    if (sameValue(cell, this.hovered)) return;
    this.hovered = cell;
    this.draw();
  }

  describe(series, point) {
    if (!this.exists([series, point])) return "";
    const { xs, ys } = this.points[series];
    const tick = (name, value) => this.axisSpec(name).ticks?.find(([at]) => at === value)?.[1] ?? shortNumber(value);
    const words = {
      series: this.meta.series[series].name ?? "", label: this.labelsOf(series)[point] ?? "", i: point,
      x: tick("x", xs[point]), y: tick("y", ys[point]),
    };
    return fillIn(this.spec.tells ?? "{series}: {x}, {y}", words);
  }

  table() {
    const rows = this.meta.series.flatMap((series, i) => series.aside ? [] : Array.from(this.points[i].xs, (x, k) => [
      `${series.name ?? ""} ${this.labelsOf(i)[k] ?? ""}`.trim() || String(k), shortNumber(x), shortNumber(this.points[i].ys[k]),
    ]));
    return numberTable(this.spec.label, ["", this.axisSpec("x").label ?? "x", this.axisSpec("y").label ?? "y"], rows);
  }
}

function line(context, x, y, toX, toY) {
  context.moveTo(x, y);
  context.lineTo(toX, toY);
}

function polygon(context, corners) {
  corners.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.closePath();
}

function overlap(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** Give two axes of the same length in pixels the same length in numbers: a circle stays round. */
function equalise(x, y) {
  const span = Math.max(x.most - x.least, y.most - y.least);
  for (const axis of [x, y]) {
    const middle = (axis.least + axis.most) / 2;
    [axis.least, axis.most] = [middle - span / 2, middle + span / 2];
  }
}

// -------------------------------------------------------------------------------- tokens panel

/** What the bits of a piece's mark say. */
const SPECIAL = 1;
const UNKNOWN = 2;
const CONTINUES = 4;
const STARTS_LINE = 8;
const PIECE = { high: 24, line: 48, gap: 5, font: "14px system-ui, sans-serif", small: "11px system-ui, sans-serif" };

/**
 * A text cut into pieces, in lines, each piece with its number below. Buffers: `numbers` (float32,
 * NaN for none), `marks` (a byte a piece: special, unknown, continues the piece before, starts a
 * line) and, where the colour stands for a number, `shades` (8-bit codes of meta.scale). Without
 * shades, the pieces of one word share a colour, which only tells words apart.
 */
class TokensPanel extends CanvasPanel {
  constructor(spec, lab) {
    super({ ...spec, chooses: [null, spec.chooses] }, lab);
    this.boxes = [];
  }

  get seenAs() {
    return "text in pieces";
  }

  get pieces() {
    return this.lab.words(this.meta.pieces);
  }

  update(meta, buffers) {
    super.update(meta, buffers);
    const [, at] = this.meta.chosen ?? [0, 0];
    this.meta.chosen = [0, clamp(at, 0, Math.max(0, this.pieces.length - 1))];
  }

  read(meta, data) {
    this.numbers = new Float32Array(data.numbers);
    this.marks = new Uint8Array(data.marks);
    this.shades = data.shades ? new Uint8Array(data.shades) : null;
  }

  shape() {
    return [1, this.pieces.length];
  }

  has(i, mark) {
    return Boolean(this.marks[i] & mark);
  }

  number(i) {
    const [number, digits] = [this.numbers[i], this.spec.digits ?? 0];
    if (Number.isNaN(number)) return "";
    return Number.isInteger(number) && digits === 0 ? String(number) : formatNumber(number, digits);
  }

  /** Where each piece stands: one after the other, in as many lines as it takes. */
  layout() {
    const { context, room } = this;
    const measure = (font, text) => {
      setFont(context, font);
      return context.measureText(text).width;
    };
    let [x, y, word] = [2, 2, -1];
    this.boxes = this.pieces.map((piece, i) => {
      const needed = Math.max(measure(PIECE.font, piece), measure(PIECE.small, this.number(i))) + 12;
      const width = Math.min(Math.ceil(needed), room - 6);
      const joined = this.has(i, CONTINUES);
      if (!joined) word += 1;
      if (i && !joined) x += PIECE.gap;
      if (x > 2 && (x + width > room - 4 || this.has(i, STARTS_LINE))) [x, y] = [2, y + PIECE.line];
      const box = { x, y, width, word };
      x += width;
      return box;
    });
    this.size(room - 2, y + PIECE.line + (this.keyText() ? 18 : 0));
  }

  draw() {
    if (!this.meta) return;
    this.layout();
    const { context } = this;
    context.textAlign = "center";
    context.textBaseline = "middle";
    this.boxes.forEach((box, i) => this.drawPiece(box, i));
    const [, chosen] = this.meta.chosen;
    const box = this.boxes[chosen];
    if (box) this.frame(box.x + 1, box.y + 1, box.width - 2, PIECE.high - 2);
    this.drawKey();
    this.describeCanvas(box ? this.describe(0, chosen) : "Nothing.");
  }

  drawPiece({ x, y, width, word }, i) {
    const { context } = this;
    const tints = this.lab.colours.tints ?? [this.lab.paper];
    const [fill, ink] = this.shades ? this.shaded(this.shades[i]) : [tints[Math.max(word, 0) % tints.length], this.lab.ink];
    const plain = this.has(i, SPECIAL) && !this.shades;
    context.fillStyle = plain ? this.lab.paper : fill;
    context.fillRect(x, y, width, PIECE.high);
    context.strokeStyle = this.lab.ink;
    context.lineWidth = this.has(i, UNKNOWN) ? 2 : 1;
    context.globalAlpha = this.has(i, UNKNOWN) ? 1 : 0.55;
    context.setLineDash(this.has(i, SPECIAL) ? [4, 3] : []);
    context.strokeRect(x + 0.5, y + 0.5, width - 1, PIECE.high - 1);
    context.setLineDash([]);
    context.globalAlpha = 1;
    if (this.has(i, UNKNOWN)) this.hatchPiece(x, y, width);
    context.fillStyle = ink;
    setFont(context, (this.has(i, SPECIAL) ? "italic " : "") + PIECE.font);
    context.fillText(this.pieces[i], x + width / 2, y + PIECE.high / 2 + 1, width - 4);
    context.fillStyle = this.lab.ink;
    setFont(context, PIECE.small);
    context.fillText(this.number(i), x + width / 2, y + PIECE.high + 9, width);
  }

  /** A piece's colour on the scale, and black or white upon it. */
  shaded(code) {
    if (code === CODES[8].blocked) return [this.lab.paper, this.lab.ink];
    const word = this.lab.scales[this.meta.scale][Math.round((code * 255) / CODES[8].top)];
    const [red, green, blue] = [word & 255, (word >> 8) & 255, (word >> 16) & 255];
    return [`rgb(${red}, ${green}, ${blue})`, 0.3 * red + 0.6 * green + 0.1 * blue > 125 ? "#000000" : "#ffffff"];
  }

  hatchPiece(x, y, width) {
    const { context } = this;
    context.save();
    context.beginPath();
    context.rect(x, y, width, PIECE.high);
    context.clip();
    context.beginPath();
    for (let at = x - PIECE.high; at < x + width; at += 8) line(context, at, y + PIECE.high, at + PIECE.high, y);
    context.lineWidth = 1;
    context.globalAlpha = 0.28;
    context.strokeStyle = this.lab.ink;
    context.stroke();
    context.restore();
    context.globalAlpha = 1;
  }

  /** What the marks mean, of those that are there. */
  keyText() {
    if (this.spec.key !== undefined) return this.spec.key;
    const any = (mark) => this.marks.some((bits) => bits & mark);
    return [any(SPECIAL) && "dashed: special token", any(UNKNOWN) && "hatched: unknown", any(CONTINUES) && "touching: pieces of one word"]
      .filter(Boolean).join(" · ");
  }

  drawKey() {
    const { context } = this;
    const last = this.boxes.at(-1);
    setFont(context, PIECE.small);
    context.textAlign = "left";
    context.fillStyle = this.lab.ink;
    context.fillText(this.keyText(), 2, (last ? last.y : 2) + PIECE.line + 6, this.room - 4);
  }

  cellAt(x, y) {
    const i = this.boxes.findIndex((box) => x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + PIECE.line - 4);
    return i < 0 ? null : [0, i];
  }

  target(key) {
    const [, at] = this.meta.chosen;
    const last = this.boxes.length - 1;
    if (last < 0) return null;
    const lead = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[key];
    if (lead !== undefined) return [0, clamp(lead, 0, last)];
    return key === "ArrowUp" || key === "ArrowDown" ? [0, this.inLine(at, key === "ArrowUp" ? -1 : 1)] : null;
  }

  /** The piece above or below. */
  inLine(at, step) {
    const here = this.boxes[at];
    const middle = here.x + here.width / 2;
    const far = (box) => Math.abs(box.x + box.width / 2 - middle);
    const others = this.boxes.filter((box) => box.y === here.y + step * PIECE.line);
    return others.length ? this.boxes.indexOf(others.reduce((a, b) => (far(b) < far(a) ? b : a))) : at;
  }

  describe(_, i) {
    if (i >= this.pieces.length) return "";
    const kinds = [this.has(i, SPECIAL) && this.spec.key === undefined && "special token", this.has(i, UNKNOWN) && "unknown", this.has(i, CONTINUES) && "continues the word"];
    const said = fillIn(this.spec.tells ?? "{i}: “{piece}”, number {value}", { i, piece: this.pieces[i], value: this.number(i) });
    return [said, ...kinds.filter(Boolean)].join("; ");
  }

  table() {
    const kinds = this.pieces.map((_, i) => this.describe(0, i).split("; ").slice(1).join(", "));
    const columns = kinds.some(Boolean) ? 3 : 2;
    const head = ["", this.spec.number ?? "number", "what it is"].slice(0, columns);
    return numberTable(this.spec.label, head, this.pieces.map((piece, i) => [piece, this.number(i), kinds[i]].slice(0, columns)));
  }
}

/**
 * A list of steps in words, one chosen; below it what the chosen one does, and its lines of code.
 * A row's words (group, name, shape) come as one text with tabs between. The list itself has the
 * focus: arrow keys, Home and End go from step to step.
 */
class StepsPanel extends Panel {
  constructor(spec, lab) {
    super(spec, lab);
    this.list = keepKeys(make("div", {
      class: "course-lab-scroller course-lab-steps", tabindex: "0", role: "listbox",
      "aria-labelledby": `${this.id}-caption`,
    }));
    this.says = make("p", { class: "course-lab-says" });
    this.code = make("pre", { class: "course-lab-code", "aria-label": "Code" });
    this.node.append(...[this.list, this.help, this.says, this.code].filter(Boolean));
    this.list.addEventListener("keydown", (event) => this.onKey(event));
    this.list.addEventListener("click", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) this.choose([...this.list.children].indexOf(row));
    });
  }

  showTable() {}

  /** An answer that was on its way does not take back the steps that were made meanwhile. */
  update(meta, buffers) {
    const ahead = this.meta && this.lab.isMoving(this.spec.chooses);
    super.update(ahead ? { ...meta, chosen: this.meta.chosen } : meta, buffers);
  }

  onKey(event) {
    if (!this.meta || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.list.children.length - 1;
    const step = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 }[event.key];
    const to = { Home: 0, End: last }[event.key] ?? (step && clamp(this.meta.chosen + step, 0, last));
    if (to === undefined) return;
    this.choose(to);
    event.preventDefault();
    event.stopPropagation();
  }

  /** The mark moves at once, the pictures follow from Python. */
  choose(index) {
    if (index === this.meta.chosen) return;
    this.meta.chosen = index;
    this.mark();
    this.lab.change({ [this.spec.chooses]: index });
  }

  draw() {
    if (!this.meta) return;
    const rows = this.lab.words(this.meta.rows);
    if (!sameValue(rows, this.written)) {
      this.written = rows;
      this.list.replaceChildren(...rows.map((row, i) => make("div", { role: "option", id: `${this.id}-${i}` },
        ...row.split("\t").map((text) => make("span", {}, text)))));
    }
    this.mark();
    setText(this.says, this.meta.says);
    this.code.replaceChildren(...this.meta.code.flatMap(({ text, place }) => [
      make("span", { class: "course-lab-place" }, `${place}\n`), make("code", {}, `${text}\n`),
    ]));
  }

  mark() {
    const row = this.list.children[this.meta.chosen];
    for (const other of this.list.querySelectorAll("[aria-selected=true]")) other.setAttribute("aria-selected", "false");
    if (!row) return;
    row.setAttribute("aria-selected", "true");
    this.list.setAttribute("aria-activedescendant", row.id);
    const [top, bottom] = [row.offsetTop, row.offsetTop + row.offsetHeight];
    const margin = 2 * row.offsetHeight; // so that what comes next is seen
    if (top - margin < this.list.scrollTop) this.list.scrollTop = top - margin;
    else if (bottom + margin > this.list.scrollTop + this.list.clientHeight) this.list.scrollTop = bottom + margin - this.list.clientHeight;
  }
}

const PANELS = { grid: GridPanel, matrix: MatrixPanel, table: TablePanel, plot: PlotPanel, tokens: TokensPanel, steps: StepsPanel };

// ----------------------------------------------------------------------------------------- lab

class Lab {
  constructor(model, host) {
    this.model = model;
    this.view = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    this.sharpness = window.devicePixelRatio || 1; // canvas pixels for each CSS pixel
    this.values = {};
    this.texts = null; // while all canvases are drawn: what is written after them
    this.labels = {};
    this.choices = {};
    this.pending = {};
    this.underWay = null;
    this.sent = 0;
    this.controls = new Map();
    this.panels = new Map();
    this.shown = [];
    this.root = make("section", { class: "course-lab" });
    this.notice = make("p", { class: "course-lab-notice", role: "alert", hidden: true });
    this.summary = make("p", { class: "course-lab-summary" });
    this.spoken = make("p", { class: "course-lab-spoken", "aria-live": "polite" });
    host.append(this.root);
    this.receive = (content, buffers) => this.onMessage(content, buffers ?? []);
    model.on("msg:custom", this.receive);
    this.watchSurroundings();
    this.showFirst(model.get("first"));
    this.greet();
  }

  /** Draw what came with the widget, at once: Python may be busy for a while. */
  showFirst(first) {
    if (!first?.form) return;
    this.build(first.form);
    this.take(first, first.buffers.map((text) => new DataView(fromBase64(text).buffer)));
  }

  /** Say that this view is there; say it again until Python answers, in case it came too early. */
  greet(wait = 4000) {
    this.model.send({ type: "ready", view: this.view });
    this.greeting = setTimeout(() => this.greet(2 * wait), wait);
  }

  /** Redraw when the theme or the width changes; all of it ends with `dispose`. */
  watchSurroundings() {
    this.themes = new MutationObserver(() => this.refresh());
    for (const node of [document.documentElement, document.body]) {
      this.themes.observe(node, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "theme", "class"] });
    }
    this.scheme = window.matchMedia("(prefers-color-scheme: dark)");
    this.onScheme = () => this.refresh();
    this.scheme.addEventListener("change", this.onScheme);
    this.widths = new ResizeObserver(([entry]) => {
      const width = Math.round(entry.contentRect.width);
      if (width && width !== this.lastWidth) this.refresh();
      this.lastWidth = width;
    });
    this.widths.observe(this.root);
  }

  dispose() {
    clearTimeout(this.greeting);
    clearTimeout(this.busy);
    clearTimeout(this.speech);
    this.themes.disconnect();
    this.widths.disconnect();
    this.scheme.removeEventListener("change", this.onScheme);
    this.model.off("msg:custom", this.receive);
    this.root.remove();
    try {
      this.model.send({ type: "gone", view: this.view });
    } catch {
      // The kernel went first.
    }
  }

  // --- to Python

  /** Note what was moved, the last move last; what waited for the same control is replaced. */
  change(changes) {
    for (const name of Object.keys(changes)) delete this.pending[name];
    Object.assign(this.pending, changes);
    Object.assign(this.values, changes);
    this.showWhatApplies();
    this.pump();
  }

  /** Whether a control was moved and Python has not answered yet. */
  isMoving(name) {
    return name in this.pending || name in (this.underWay?.changes ?? {});
  }

  pump() {
    if (this.underWay !== null || Object.keys(this.pending).length === 0) return;
    const changes = this.pending;
    this.pending = {};
    this.underWay = { request: ++this.sent, changes };
    this.model.send({ type: "change", view: this.view, ...this.underWay });
    clearTimeout(this.busy);
    this.busy = setTimeout(() => this.say("Waiting for Python, which is busy. If the kernel was restarted, run this cell again."), BUSY_AFTER_MS);
  }

  // --- from Python

  onMessage(content, buffers) {
    if (content.type !== "draw" || (content.to && content.to !== this.view)) return;
    clearTimeout(this.greeting);
    if (content.view === this.view && content.request === this.underWay?.request) {
      this.underWay = null;
      clearTimeout(this.busy);
    }
    if (content.form && !sameValue(content.form, this.form)) this.build(content.form);
    if (this.controls.size === 0) return; // not built yet: the answer to "ready" is on its way
    this.take(content, buffers);
    this.pump();
  }

  take(content, buffers) {
    Object.assign(this.labels, content.labels);
    Object.assign(this.choices, content.choices);
    const resting = Object.entries(content.values ?? {}).filter(([name]) => !this.isMoving(name));
    Object.assign(this.values, Object.fromEntries(resting)); // what was moved meanwhile stays
    this.showWhatApplies();
    const changed = content.panels.map((panel) => this.panels.get(panel.name));
    changed.forEach((panel, i) => panel.update(content.panels[i], buffers));
    this.drawAll(changed);
    for (const [name, choices] of Object.entries(this.choices)) this.controls.get(name)?.setChoices(this.choicesFrom(choices));
    for (const [name, value] of resting) this.controls.get(name)?.set(value);
    if (this.tablesShown) for (const panel of changed) panel.showTable(true);
    if (this.underWay === null || content.notice) this.say(content.notice);
    if (content.summary !== undefined) this.tell(content.summary);
    // Last, after the canvases are drawn: whoever watches this attribute sees the new picture.
    if (content.panels.length) this.root.setAttribute("data-drawn", content.drawn);
  }

  /** Draw the canvases first and write their texts after that: a canvas on a page whose texts have
   *  just changed waits until the browser has settled all styles. */
  drawAll(panels) {
    const canvases = panels.filter((panel) => panel.canvas);
    this.texts = [];
    for (const panel of canvases) panel.draw();
    const texts = this.texts;
    this.texts = null;
    for (const write of texts) write();
    for (const panel of panels) if (!panel.canvas) panel.draw();
  }

  /** Write a text of a canvas now, or after all canvases are drawn. */
  afterCanvases(write) {
    if (this.texts) this.texts.push(write);
    else write();
  }

  /** Write the summary at once, and have it read aloud when things have come to rest. */
  tell(summary) {
    setText(this.summary, summary);
    clearTimeout(this.speech);
    this.speech = setTimeout(() => setText(this.spoken, summary), 600);
  }

  /** Labels come as words, or as the name of a list of words that is sent once. */
  words(labels) {
    return typeof labels === "string" ? this.labels[labels] ?? [] : labels;
  }

  choicesFrom(choices) {
    if (typeof choices !== "string") return choices;
    return this.words(choices).map((word, i) => [i, `${i} ${word}`]);
  }

  say(notice) {
    setText(this.notice, notice ?? "");
    this.notice.hidden = !notice;
  }

  // --- the page

  build(form) {
    this.root.replaceChildren();
    this.controls.clear();
    this.panels.clear();
    this.shown = [];
    this.form = form;
    this.root.setAttribute("data-lab", form.lab);
    this.root.setAttribute("aria-label", form.title);
    this.legends = new Map();
    this.scales = Object.fromEntries(Object.entries(form.scales).map(([name, anchors]) => [name, makeScale(anchors)]));
    const groups = form.groups.map((group) => this.buildGroup(group));
    const columns = [0, 1].map(() => make("div", { class: "course-lab-column" }));
    form.panels.forEach((spec, i) => {
      const panel = new PANELS[spec.kind](spec, this);
      this.panels.set(spec.name, panel);
      this.shown.push([panel.node, spec.show]);
      panel.node.style.order = i; // where there is room for one column only
      columns[spec.column ?? 0].append(panel.node);
    });
    this.root.append(
      make("div", { class: "course-lab-groups" }, ...groups),
      this.notice,
      make("div", { class: "course-lab-panels" }, ...columns),
      this.summary, this.spoken, this.buildTools());
    this.readInk();
    for (const panel of this.panels.values()) panel.measure();
  }

  buildGroup(group) {
    const controls = group.controls.map((spec) => {
      const control = new Control(spec, (name, value) => this.change({ [name]: value }));
      if (spec.choices) control.setChoices(spec.choices);
      this.controls.set(spec.name, control);
      this.shown.push([control.node, spec.show]);
      return control.node;
    });
    return make("fieldset", { class: group.wide ? "is-wide" : null }, make("legend", {}, group.label), ...controls);
  }

  buildTools() {
    this.tablesShown = false;
    const tables = keepKeys(make("button", { type: "button", "aria-pressed": "false" }, "Numbers as tables"));
    tables.addEventListener("click", () => {
      this.tablesShown = !this.tablesShown;
      tables.setAttribute("aria-pressed", String(this.tablesShown));
      for (const panel of this.panels.values()) panel.showTable(this.tablesShown);
    });
    const save = keepKeys(make("button", { type: "button" }, "Save as picture"));
    save.addEventListener("click", () => this.savePicture());
    return make("div", { class: "course-lab-tools" }, tables, save);
  }

  /** All colours of a scale side by side, made once. */
  legend(scale) {
    if (!this.legends.has(scale)) {
      const colours = new Pixels();
      colours.resize(256, 1);
      colours.words.set(this.scales[scale]);
      colours.flush();
      this.legends.set(scale, colours.canvas);
    }
    return this.legends.get(scale);
  }

  /** Hide what does not apply: `show` is {name: value or [values]} on the lab's values. */
  showWhatApplies() {
    for (const [node, show] of this.shown) {
      const applies = Object.entries(show ?? {}).every(([name, wanted]) =>
        (Array.isArray(wanted) ? wanted : [wanted]).some((value) => sameValue(value, this.values[name])));
      if (node.hidden === applies) node.hidden = !applies;
    }
  }

  /** The page's own colours, for what is written on canvases. */
  readInk() {
    this.ink = getComputedStyle(this.root).color;
    let node = this.root;
    while (node && /rgba\(.*, 0\)|transparent/.test(getComputedStyle(node).backgroundColor)) node = node.parentElement;
    this.paper = node ? getComputedStyle(node).backgroundColor : "#ffffff";
    const [red, green, blue] = (this.paper.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number);
    this.colours = this.form.colours?.[red + green + blue < 384 ? "dark" : "light"] ?? {};
  }

  refresh() {
    if (!this.form) return;
    this.readInk();
    this.sharpness = window.devicePixelRatio || 1;
    for (const panel of this.panels.values()) panel.measure();
    for (const panel of this.panels.values()) panel.draw();
  }

  /** One PNG of all canvases that are shown, with their captions and the summary. */
  savePicture() {
    const shown = [...this.panels.values()].filter((panel) => panel.canvas && !panel.node.hidden && panel.meta);
    this.sharpness = Math.max(2, window.devicePixelRatio || 1); // sharp on paper too
    for (const panel of shown) panel.draw();
    this.compose(shown).toBlob((blob) => {
      const link = make("a", { href: URL.createObjectURL(blob), download: `${this.form.lab}.png` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });
    this.sharpness = window.devicePixelRatio || 1;
    for (const panel of shown) panel.draw();
  }

  /** The canvases of some panels below one another on one canvas. */
  compose(shown) {
    const ratio = this.sharpness;
    const width = Math.max(480, ...shown.map((panel) => panel.canvas.width / ratio)) + 32;
    const picture = make("canvas");
    const context = picture.getContext("2d");
    const [plain, bold] = ["13px system-ui, sans-serif", "bold 13px system-ui, sans-serif"];
    setFont(context, plain);
    const lines = wrapWords(context, this.summary.textContent, width - 32);
    const heights = shown.map((panel) => panel.canvas.height / ratio + 34);
    const height = heights.reduce((sum, each) => sum + each, 32) + lines.length * 18 + 24;
    Object.assign(picture, { width: width * ratio, height: height * ratio });
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = this.paper;
    context.fillRect(0, 0, width, height);
    context.fillStyle = this.ink;
    let y = 24;
    shown.forEach((panel, i) => {
      setFont(context, bold);
      context.fillText(panel.caption.textContent, 16, y);
      context.drawImage(panel.canvas, 16, y + 8, panel.canvas.width / ratio, panel.canvas.height / ratio);
      y += heights[i];
    });
    setFont(context, plain);
    lines.forEach((line, i) => context.fillText(line, 16, y + 8 + i * 18));
    return picture;
  }
}

function wrapWords(context, text, width) {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (context.measureText(longer).width > width && lines.at(-1)) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

function render({ model, el }) {
  const lab = new Lab(model, el);
  return () => lab.dispose();
}

export default { render };
