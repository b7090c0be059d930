/**
 * The one front end of all labs: draws what Python describes, and tells Python what was moved.
 *
 * It knows controls (text, number, range, select, check, button) and panels (grid: many small
 * matrices; matrix: one large one; table: numbers). A lab is a list of each, declared in Python
 * (course/labs/lab.py describes the messages), so a new lab needs no new JavaScript.
 *
 * - At most one request is under way. What is moved meanwhile waits, the newest value of each
 *   control only: the latest request wins, and a drag never queues up.
 * - Every control and canvas is reached by keyboard; JupyterLab leaves keys alone only where the
 *   focused element itself carries data-lm-suppress-shortcuts.
 * - Nothing is loaded from anywhere: no build step, no CDN.
 */

const BUSY_AFTER_MS = 1500;
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

/** Write text only where it changes: most cells of a table stay as they are. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function sameValue(a, b) {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
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
 * longest), number and range (least, most, step), select (choices [[value, label]]), check, button.
 */
class Control {
  constructor(spec, changed) {
    this.spec = spec;
    this.choices = null;
    const id = `course-lab-control-${++uniqueId}`;
    this.input = keepKeys(this.makeInput(spec, id));
    this.output = spec.kind === "range" ? make("output", { for: id }) : null;
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
    if (this.output) setText(this.output, formatNumber(this.input.valueAsNumber, this.spec.digits ?? 2));
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
      tabindex: "0", role: "application", "aria-roledescription": "matrix",
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

  /** Note the width in CSS pixels that the panel may draw on; reading it at each draw costs. */
  measure() {
    this.room = Math.max(120, this.node.clientWidth || 320);
  }

  /** Size the canvas in CSS pixels, and let its context draw in them. */
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
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!this.meta || event.ctrlKey || event.metaKey || event.altKey) return;
    const [rows, columns] = this.shape();
    const [row, column] = this.meta.chosen;
    if (step) this.choose(clamp(row + step[0], 0, rows - 1), clamp(column + step[1], 0, columns - 1));
    else if (event.key === "Home") this.choose(row, 0);
    else if (event.key === "End") this.choose(row, columns - 1);
    else if (event.key === " ") this.act(row, column, event.shiftKey);
    else return;
    event.preventDefault();
    event.stopPropagation();
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

  /** Choose a cell: the frame moves at once, the numbers follow from Python. */
  choose(row, column) {
    if (row === this.meta.chosen[0] && column === this.meta.chosen[1]) return;
    this.meta.chosen = [row, column];
    this.draw();
    const [first, second] = this.spec.chooses ?? [];
    this.lab.change({ ...(first && { [first]: row }), ...(second && { [second]: column }) });
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
    this.size(margin + columns * pitch + 2, margin + rows * pitch + 2);
    const context = this.context;
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = this.lab.ink;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let column = 0; column < columns; column++) context.fillText(column, margin + (column + 0.5) * pitch, 10);
    for (let row = 0; row < rows; row++) context.fillText(row, 9, margin + (row + 0.5) * pitch);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const [x, y] = [margin + column * pitch + 2, margin + row * pitch + 2];
        context.drawImage(this.pixels.canvas, column * side, row * side, side, side, x, y, tile, tile);
      }
    }
    for (const [row, column] of off) this.cross(margin + column * pitch + 2, margin + row * pitch + 2, tile);
    this.frame(margin + chosen[1] * pitch + 1, margin + chosen[0] * pitch + 1, tile + 2, tile + 2);
    this.canvas.setAttribute("aria-label", `${this.spec.label}. ${this.describe(...chosen)}`);
    this.say();
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
    context.font = "12px system-ui, sans-serif";
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
    this.canvas.style.touchAction = this.paints ? "none" : "pan-y";
    const [rows, columns] = this.shape();
    const { left, top, wide, high, context } = this;
    const legend = this.spec.legend ? 34 : 0;
    this.size(Math.max(this.width, legend ? left + 140 : 0), this.height + legend);
    context.drawImage(this.pixels.canvas, 0, 0, columns, rows, left, top, columns * wide, rows * high);
    if (Math.min(wide, high) >= 6) this.hatch(rows, columns);
    if (wide >= 28 && high >= 14 && this.spec.digits) this.drawNumbers(rows, columns);
    if (this.spec.sum) this.drawSumLine(rows, columns);
    this.drawLabels();
    this.drawChosen(rows, columns);
    if (legend) this.drawLegend(this.height + 6);
    this.canvas.setAttribute("aria-label", `${this.spec.label}. ${this.describe(...this.meta.chosen)}`);
    this.say();
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
    context.font = "11px system-ui, sans-serif";
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
    const write = (pitch, chosen, draw) => {
      if (pitch < 9 && !chosen) return;
      context.font = `${chosen ? "bold " : ""}${clamp(pitch - 1, 9, 12)}px system-ui, sans-serif`;
      draw();
    };
    context.textAlign = "right";
    this.rowLabels.forEach((label, row) => write(high, row === meta.chosen[0], () => {
      context.fillText(label, left - 5, top + (row + 0.5) * high, left - 6);
    }));
    context.textAlign = "left";
    this.columnLabels.forEach((label, column) => write(wide, column === meta.chosen[1], () => {
      context.save();
      context.translate(left + (column + 0.5) * wide, top - 5);
      context.rotate(-Math.PI / 2);
      context.fillText(label, 0, 0, top - 6);
      context.restore();
    }));
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
    context.font = "11px system-ui, sans-serif";
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
    if (sameValue(labels, this.headLabels)) return;
    this.headLabels = labels;
    this.head.replaceChildren(make("tr", {}, ...labels.map((label) => make("th", { scope: "col" }, label))));
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

const PANELS = { grid: GridPanel, matrix: MatrixPanel, table: TablePanel };

// ----------------------------------------------------------------------------------------- lab

class Lab {
  constructor(model, host) {
    this.model = model;
    this.view = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    this.sharpness = window.devicePixelRatio || 1; // canvas pixels for each CSS pixel
    this.values = {};
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

  /** Note what was moved; what waited for the same control is replaced. */
  change(changes) {
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
    for (const [name, choices] of Object.entries(this.choices)) this.controls.get(name)?.setChoices(this.choicesFrom(choices));
    for (const [name, value] of Object.entries(content.values ?? {})) {
      if (this.isMoving(name)) continue; // moved meanwhile
      this.values[name] = value;
      this.controls.get(name)?.set(value);
    }
    this.showWhatApplies();
    const changed = content.panels.map((panel) => this.panels.get(panel.name));
    changed.forEach((panel, i) => panel.update(content.panels[i], buffers));
    for (const panel of changed) panel.draw();
    if (this.tablesShown) for (const panel of changed) panel.showTable(true);
    if (this.underWay === null || content.notice) this.say(content.notice);
    if (content.summary !== undefined) this.tell(content.summary);
    // Last, after the canvases are drawn: whoever watches this attribute sees the new picture.
    if (content.panels.length) this.root.setAttribute("data-drawn", content.drawn);
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
    context.font = plain;
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
      context.font = bold;
      context.fillText(panel.caption.textContent, 16, y);
      context.drawImage(panel.canvas, 16, y + 8, panel.canvas.width / ratio, panel.canvas.height / ratio);
      y += heights[i];
    });
    context.font = plain;
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
