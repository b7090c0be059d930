/**
 * The one front end of all labs: draws what Python describes, and tells Python what was moved.
 *
 * It knows controls (text, number, range, select, check, button, chips) and panels (grid: many small
 * matrices; matrix: one large one; table: numbers; plot: lines and points over two axes; tokens:
 * a text cut into pieces; steps: a list in words, with the code of the chosen one; flow: lines
 * between words; journey: the steps as stations; passages: a ranking of texts; texts: whole ones;
 * image: a small one in patches; sketch: one that is drawn; patches: one as a sentence; stage, curves,
 * answers: a training that runs; sound: a recording and what is read in it). A lab is a list of each, declared in Python
 * (course/labs/lab.py describes the messages, course/labs/drawing.py the panels), so a new lab needs
 * no new JavaScript.
 *
 * - Every control and canvas is reached by keyboard; JupyterLab leaves keys alone only where the
 *   focused element itself carries data-lm-suppress-shortcuts.
 * - Nothing is loaded from anywhere: no build step, no CDN. course/labs/front/__init__.py joins the
 *   modules of this folder into the one that anywidget takes.
 */

import { AnswersPanel } from "./answers.js";
import { Challenges } from "./challenges.js";
import { Chips } from "./chips.js";
import { fromBase64, makeScale, Pixels } from "./codes.js";
import { Comparison } from "./compare.js";
import { Control } from "./controls.js";
import { CurvesPanel } from "./curves.js";
import { keepKeys, make, newId, setText } from "./dom.js";
import { FlowPanel } from "./flow.js";
import { GridPanel } from "./grid.js";
import { ImagePanel } from "./image.js";
import { JourneyPanel } from "./journey.js";
import { MatrixPanel } from "./matrix.js";
import { isFolded, More } from "./more.js";
import { keepSettings, sends, takeSettings } from "./page.js";
import { CanvasPanel, Panel } from "./panel.js";
import { PassagesPanel } from "./passages.js";
import { PatchesPanel } from "./patches.js";
import { composePicture, saveCanvas } from "./picture.js";
import { PlotPanel } from "./plot.js";
import { Requests } from "./requests.js";
import { SketchPanel } from "./sketch.js";
import { SoundPanel } from "./sound.js";
import { StagePanel } from "./stage.js";
import { StepsPanel } from "./steps.js";
import { TablePanel } from "./table.js";
import { sameValue } from "./text.js";
import { TextsPanel } from "./texts.js";
import { TokensPanel } from "./tokens.js";

const BUSY_AFTER_MS = 1000;
const PAUSE_MS = 1500; // after which the picture that a saved notebook keeps is renewed
const BUSY = "Waiting for Python, which is busy. If the kernel was restarted, run this cell again.";
const LOST = "The kernel behind this picture has stopped or was restarted. Run this cell again (and those above that it needs): your settings will be there. Until then the picture stays as it is.";

/** @typedef {Panel<any, any>} AnyPanel */
/** @typedef {CanvasPanel<any, any>} AnyCanvas */

/**
 * The kinds of panel.
 * @type {Record<Labs.PanelSpec["kind"], new (spec: any, lab: Labs.Host) => AnyPanel>}
 */
const PANELS = { grid: GridPanel, matrix: MatrixPanel, table: TablePanel, plot: PlotPanel, tokens: TokensPanel, steps: StepsPanel, journey: JourneyPanel, flow: FlowPanel, passages: PassagesPanel, texts: TextsPanel, image: ImagePanel, sketch: SketchPanel, patches: PatchesPanel, stage: StagePanel, curves: CurvesPanel, answers: AnswersPanel, sound: SoundPanel };

/**
 * One view of a lab.
 * @implements {Labs.Host}
 */
export class Lab {
  /**
   * @param {Labs.Model} model
   * @param {HTMLElement} host
   */
  constructor(model, host) {
    this.model = model;
    this.view = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    this.sharpness = window.devicePixelRatio || 1; // canvas pixels for each CSS pixel
    this.requests = new Requests();
    this.lost = false; // the kernel is gone
    /** @type {Element | null} */
    this.cell = null; // the notebook's cell, once the view is on the page
    /** @type {Labs.Form | null} */
    this.form = null;
    /** @type {Labs.Values} */
    this.values = {};
    /** @type {(() => void)[] | null} */
    this.texts = null; // while all canvases are drawn: what is written after them
    /** @type {Record<string, string[]>} */
    this.labels = {};
    /** @type {Record<string, Labs.Choice[] | string>} */
    this.choices = {};
    /** @type {Map<string, Control | Chips>} */
    this.controls = new Map();
    /** @type {Map<string, AnyPanel>} */
    this.panels = new Map();
    /** @type {{ node: HTMLElement, show?: Labs.Show, more?: boolean }[]} */
    this.shown = []; // what is seen only at some values, or under "More"
    /** @type {Record<string, Uint32Array>} */
    this.scales = {};
    /** @type {Map<string, HTMLCanvasElement>} */
    this.legends = new Map();
    /** @type {Labs.Colours} */
    this.colours = {};
    this.ink = "#000000";
    this.paper = "#ffffff";
    this.tablesShown = false;
    this.lastWidth = 0;
    this.comparison = new Comparison(this);
    /** @type {More | null} */
    this.more = null; // once there is a form
    /** @type {Record<string, number> | null} */
    this.pointed = null;
    /** @type {Record<"greeting" | "busy" | "speech" | "pause", ReturnType<typeof setTimeout> | undefined>} */
    this.timers = { greeting: undefined, busy: undefined, speech: undefined, pause: undefined };
    this.root = make("section", { class: "course-lab course-live" });
    this.notice = make("p", { class: "course-lab-notice", id: newId("notice"), role: "alert", hidden: true });
    this.summary = make("p", { class: "course-lab-summary" });
    this.spoken = make("p", { class: "course-lab-spoken", "aria-live": "polite" });
    this.challenges = new Challenges();
    host.append(this.root);
    /** @type {Labs.Receive} */
    this.receive = (content, buffers) => this.onMessage(content, buffers ?? []);
    model.on("msg:custom", this.receive);
    this.onKernel = () => this.greet();
    model.on("comm_live_update", this.onKernel); // the kernel went, or is there again
    this.scheme = window.matchMedia("(prefers-color-scheme: dark)");
    this.onScheme = () => this.refresh();
    this.themes = new MutationObserver(() => this.refresh());
    this.widths = new ResizeObserver(([entry]) => this.onWidth(Math.round(entry.contentRect.width)));
    this.watchSurroundings();
    this.showFirst(model.get("first"));
    this.greet();
  }

  /**
   * Draw what came with the widget, at once: Python may be busy for a while.
   * @param {Labs.First | undefined} first
   */
  showFirst(first) {
    if (!first?.form) return;
    this.build(first.form, first.changed);
    this.take(first, first.buffers.map((text) => new DataView(fromBase64(text).buffer)));
  }

  /** Say that this view is there; say it again until Python answers, in case it came too early. */
  greet(wait = 4000) {
    clearTimeout(this.timers.greeting);
    if (!this.send({ type: "ready", view: this.view })) return;
    this.timers.greeting = setTimeout(() => this.greet(2 * wait), wait);
  }

  /**
   * Send a message; returns false, and says so to the learner, where no kernel is there to take it.
   * @param {Labs.Sent} message
   */
  send(message) {
    const sent = sends(this.model, message);
    if (!sent) this.lose();
    return sent;
  }

  /** Say that the kernel is gone; what was moved is kept for when the cell runs again. */
  lose() {
    clearTimeout(this.timers.greeting);
    clearTimeout(this.timers.busy);
    this.lost = true;
    this.requests = new Requests();
    this.say(LOST);
  }

  /** Redraw when the theme or the width changes; all of it ends with `dispose`. */
  watchSurroundings() {
    for (const node of [document.documentElement, document.body]) {
      this.themes.observe(node, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "theme", "class"] });
    }
    this.scheme.addEventListener("change", this.onScheme);
    this.widths.observe(this.root);
  }

  /**
   * @param {number} width
   */
  onWidth(width) {
    this.cell ??= this.root.closest(".jp-Cell");
    this.restore();
    if (width && width !== this.lastWidth) this.refresh();
    this.lastWidth = width;
  }

  /** Take over the settings of the lab that was in this cell, if its kernel went. */
  restore() {
    const left = this.cell && this.form && takeSettings(this.cell, this.form.lab);
    if (left?.compared) this.comparison.resume(left.compared);
    const moved = Object.entries(left?.values ?? {}).filter(([name, value]) =>
      name !== "checkpoint" && this.controls.get(name)?.spec.kind !== "button" && !sameValue(value, this.values[name]));
    if (!moved.length) return;
    for (const [name, value] of moved) this.controls.get(name)?.set(value);
    this.change(Object.fromEntries(moved));
  }

  dispose() {
    if (this.lost && this.cell && this.form) keepSettings(this.cell, this.form.lab, { values: this.values, compared: this.comparison.leave() });
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
    this.comparison.dispose();
    for (const panel of this.panels.values()) panel.dispose();
    this.themes.disconnect();
    this.widths.disconnect();
    this.scheme.removeEventListener("change", this.onScheme);
    this.model.off("msg:custom", this.receive);
    this.model.off("comm_live_update", this.onKernel);
    this.root.remove();
    if (!this.lost) this.send({ type: "gone", view: this.view });
  }

  // --- to Python

  /**
   * Take in what was moved, and ask Python as soon as it is free.
   * @param {Labs.Values} changes
   */
  change(changes) {
    this.requests.note(changes);
    Object.assign(this.values, changes);
    this.showWhatApplies();
    this.comparison.renew();
    this.pump();
  }

  /**
   * Whether a control was moved and Python has not answered yet.
   * @param {string} name
   */
  isMoving(name) {
    return this.requests.isMoving(name);
  }

  /**
   * Let the other panels show what is pointed at; Python is not asked.
   * @param {Record<string, number> | null} at
   * @param {object} from
   */
  point(at, from) {
    if (sameValue(at, this.pointed)) return;
    this.pointed = at;
    for (const panel of this.panels.values()) if (panel !== from) panel.point(at);
  }

  pump() {
    const request = this.requests.next();
    if (request === null || !this.send({ type: "change", view: this.view, ...request })) return;
    clearTimeout(this.timers.busy);
    this.timers.busy = setTimeout(() => this.say(BUSY), BUSY_AFTER_MS);
  }

  /** Let the notebook keep the picture of now, once the learner pauses. */
  renewStill() {
    clearTimeout(this.timers.pause);
    if (this.cell) this.timers.pause = setTimeout(() => this.send({ type: "still", view: this.view }), PAUSE_MS);
  }

  // --- from Python

  /**
   * @param {Labs.Message | Labs.Reached} content
   * @param {DataView[]} buffers
   */
  onMessage(content, buffers) {
    if (content.type === "challenges") this.challenges.take(content.challenges);
    if (content.type !== "draw" || (content.to && content.to !== this.view)) return;
    clearTimeout(this.timers.greeting);
    this.lost = false;
    if (content.view === this.view && this.requests.answer(content.request)) {
      clearTimeout(this.timers.busy);
      this.renewStill();
    }
    if (content.form && !sameValue(content.form, this.form)) this.build(content.form, content.changed);
    if (this.controls.size === 0) return; // not built yet: the answer to "ready" is on its way
    this.take(content, buffers);
    this.restore();
    this.pump();
  }

  /**
   * @param {Labs.Message} content
   * @param {DataView[]} buffers
   */
  take(content, buffers) {
    Object.assign(this.labels, content.labels);
    Object.assign(this.choices, content.choices);
    if (content.challenges) this.challenges.take(content.challenges);
    const resting = Object.entries(content.values ?? {}).filter(([name]) => !this.isMoving(name));
    Object.assign(this.values, Object.fromEntries(resting)); // what was moved meanwhile stays
    this.showWhatApplies();
    const changed = content.panels.map((meta) => {
      const panel = /** @type {AnyPanel} */ (this.panels.get(meta.name));
      panel.update(meta, buffers);
      return panel;
    });
    this.drawAll(changed.filter((panel) => this.sees(panel)));
    for (const [name, choices] of Object.entries(this.choices)) this.controls.get(name)?.setChoices(this.choicesFrom(choices));
    for (const [name, value] of resting) this.controls.get(name)?.set(value);
    this.comparison.renew();
    this.mark(content);
    if (this.tablesShown) for (const panel of changed) panel.showTable(this.sees(panel));
    if (this.requests.underWay === null || content.notice) this.say(content.notice);
    if (content.summary !== undefined) this.tell(content.summary);
    // Last, after the canvases are drawn: whoever watches this attribute sees the new picture.
    if (content.panels.length) this.root.setAttribute("data-drawn", String(content.drawn));
  }

  /**
   * Mark the controls whose value is refused, and tell the others where their steps lead.
   * @param {Labs.Message} content
   */
  mark({ refused, allowed }) {
    for (const [name, control] of this.controls) {
      if (refused) control.refuse(refused[name], this.notice.id);
      if (allowed) control.allowed = allowed[name];
    }
  }

  /**
   * Draw the canvases first and write their texts after that: a canvas on a page whose texts have
   * just changed waits until the browser has settled all styles.
   * @param {AnyPanel[]} panels
   */
  drawAll(panels) {
    /** @type {(() => void)[]} */
    const texts = [];
    this.texts = texts;
    for (const panel of panels) if (panel instanceof CanvasPanel) panel.draw();
    this.texts = null;
    for (const write of texts) write();
    for (const panel of panels) if (!(panel instanceof CanvasPanel)) panel.draw();
    for (const panel of panels) panel.sayCompared();
  }

  /** Draw all panels again, with their tables. */
  redraw(panels = this.openPanels()) {
    this.drawAll(panels);
    for (const panel of panels) panel.showTable(this.tablesShown);
  }

  /**
   * Whether a panel is not folded away; one that is, is not drawn.
   * @param {AnyPanel} panel
   */
  sees(panel) {
    return !this.more?.hides(panel.spec);
  }

  /** The panels that are not folded away. */
  openPanels() {
    return [...this.panels.values()].filter((panel) => this.sees(panel));
  }

  /** Show or hide what is under "More", and draw what was not drawn meanwhile. */
  fold() {
    this.showWhatApplies();
    const panels = this.openPanels().filter(({ spec }) => spec.more);
    for (const panel of panels) panel.measure();
    this.redraw(panels);
  }

  /**
   * Write a text of a canvas now, or after all canvases are drawn.
   * @param {() => void} write
   */
  afterCanvases(write) {
    if (this.texts) this.texts.push(write);
    else write();
  }

  /**
   * Write the summary at once, and have it read aloud when things have come to rest.
   * @param {string} summary
   */
  tell(summary) {
    setText(this.summary, summary);
    clearTimeout(this.timers.speech);
    this.timers.speech = setTimeout(() => setText(this.spoken, summary), 600);
  }

  /**
   * Labels come as words, or as the name of a list of words that is sent once.
   * @param {Labs.Words | undefined} words
   */
  words(words) {
    return (typeof words === "string" ? this.labels[words] : words) ?? [];
  }

  /**
   * @param {Labs.Choice[] | string} choices
   * @returns {Labs.Choice[]}
   */
  choicesFrom(choices) {
    if (typeof choices !== "string") return choices;
    return this.words(choices).map((word, i) => [i, `${i} ${word}`]);
  }

  /**
   * @param {string | undefined} notice
   */
  say(notice) {
    setText(this.notice, notice ?? "");
    this.notice.hidden = !notice;
  }

  // --- the page

  /**
   * @param {Labs.Form} form
   * @param {string[]} [changed]
   */
  build(form, changed = []) {
    this.root.replaceChildren();
    this.controls.clear();
    for (const panel of this.panels.values()) panel.dispose();
    this.panels.clear();
    this.shown = [];
    this.form = form;
    this.root.setAttribute("data-lab", form.lab);
    this.root.setAttribute("aria-label", form.title);
    this.legends = new Map();
    this.scales = Object.fromEntries(Object.entries(form.scales).map(([name, anchors]) => [name, makeScale(anchors)]));
    const more = this.more = new More(form, changed, () => this.fold());
    const main = make("div", { class: "course-lab-main" }, ...form.groups.flatMap(({ controls }) => controls.filter((spec) => spec.main).map((spec) => this.buildControl(spec))));
    const groups = form.groups.map((group) => this.buildGroup(group, false));
    more.region.append(...form.groups.flatMap((group) => this.buildGroup(group, true) ?? []));
    const wide = make("div", { class: "course-lab-wide" }); // above both columns
    const columns = [0, 1].map(() => make("div", { class: "course-lab-column" }));
    form.panels.forEach((spec, i) => {
      const panel = new PANELS[spec.kind](spec, this);
      this.panels.set(spec.name, panel);
      this.shown.push({ node: panel.node, show: spec.show, more: spec.more });
      panel.node.style.order = String(i); // where there is room for one column only
      (spec.wide ? wide : columns[spec.column ?? 0]).append(panel.node);
    });
    this.comparison.dispose();
    this.comparison = new Comparison(this);
    this.root.append(
      ...(main.firstChild ? [main] : []),
      make("div", { class: "course-lab-groups" }, ...groups, more.button), more.region,
      this.notice, this.challenges.pointer, this.comparison.line, this.comparison.spoken, wide,
      make("div", { class: "course-lab-panels" }, ...columns),
      this.summary, this.spoken, this.buildTools(), this.challenges.build(form));
    this.readInk();
    for (const panel of this.panels.values()) panel.measure();
  }

  /**
   * A group's controls that are seen at once, or those that are folded away; null where there are none.
   * @param {Labs.Group} group
   * @param {boolean} folded
   */
  buildGroup(group, folded) {
    const controls = group.controls.filter((spec) => !spec.main && isFolded(group, spec) === folded);
    if (!controls.length) return null;
    const label = folded && group.controls.some((spec) => !isFolded(group, spec)) ? `${group.label}: more` : group.label;
    return make("fieldset", { class: group.wide ? "is-wide" : null }, make("legend", {}, label), ...controls.map((spec) => this.buildControl(spec)));
  }

  /**
   * @param {Labs.ControlSpec} spec
   */
  buildControl(spec) {
    const control = new (spec.kind === "chips" ? Chips : Control)(spec, (name, value) => this.change({ [name]: value }));
    if (spec.choices) control.setChoices(spec.choices);
    this.controls.set(spec.name, control);
    this.shown.push({ node: control.node, show: spec.show });
    return control.node;
  }

  buildTools() {
    this.tablesShown = false;
    const tables = keepKeys(make("button", { type: "button", "aria-pressed": "false" }, "Numbers as tables"));
    tables.addEventListener("click", () => {
      this.tablesShown = !this.tablesShown;
      tables.setAttribute("aria-pressed", String(this.tablesShown));
      for (const panel of this.openPanels()) panel.showTable(this.tablesShown);
    });
    const save = keepKeys(make("button", { type: "button" }, "Save as picture"));
    save.addEventListener("click", () => this.savePicture());
    return make("div", { class: "course-lab-tools" }, this.comparison.button, tables, save);
  }

  /**
   * All colours of a scale side by side, made once.
   * @param {string} scale
   */
  legend(scale) {
    const there = this.legends.get(scale);
    if (there) return there;
    const colours = new Pixels();
    colours.resize(256, 1);
    colours.words.set(this.scales[scale]);
    colours.flush();
    this.legends.set(scale, colours.canvas);
    return colours.canvas;
  }

  /**
   * Whether something is seen: `show` is {name: value or [values]} on the lab's values.
   * @param {Labs.Show | undefined} show
   */
  applies(show) {
    return Object.entries(show ?? {}).every(([name, wanted]) =>
      (Array.isArray(wanted) ? wanted : [wanted]).some((value) => sameValue(value, this.values[name])));
  }

  /** Hide what does not apply. */
  showWhatApplies() {
    const focused = document.activeElement;
    for (const { node, show, more } of this.shown) {
      const applies = !(more && !this.more?.open) && this.applies(show);
      if (node.hidden !== applies) continue;
      node.hidden = !applies;
      if (!applies && focused && node.contains(focused)) this.focusNear(node);
    }
  }

  /**
   * Take the focus from a control that is hidden to the nearest one before it, else after it.
   * @param {HTMLElement} hidden
   */
  focusNear(hidden) {
    const all = [...this.controls.values()];
    const at = all.findIndex(({ node }) => node === hidden);
    const near = [...all.slice(0, Math.max(at, 0)).reverse(), ...all.slice(at + 1)];
    near.find(({ node }) => !node.hidden)?.input.focus();
  }

  /** The page's own colours, for what is written on canvases. */
  readInk() {
    this.ink = getComputedStyle(this.root).color;
    /** @type {HTMLElement | null} */
    let node = this.root;
    while (node && /rgba\(.*, 0\)|transparent/.test(getComputedStyle(node).backgroundColor)) node = node.parentElement;
    this.paper = node ? getComputedStyle(node).backgroundColor : "#ffffff";
    const [red, green, blue] = (this.paper.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number);
    this.colours = this.form?.colours?.[red + green + blue < 384 ? "dark" : "light"] ?? {};
    this.colours.heads?.forEach((colour, i) => this.root.style.setProperty(`--lab-head-${i}`, colour));
  }

  refresh() {
    if (!this.form) return;
    this.readInk();
    this.sharpness = window.devicePixelRatio || 1;
    for (const panel of this.openPanels()) panel.measure();
    for (const panel of this.openPanels()) panel.draw();
  }

  /** Save the canvases that are shown as one PNG, drawn sharply enough for paper. */
  savePicture() {
    const shown = [...this.panels.values()].flatMap((panel) => (panel instanceof CanvasPanel && !panel.node.hidden && panel.ready ? [panel] : []));
    this.sharpness = Math.max(2, window.devicePixelRatio || 1);
    for (const panel of shown) panel.draw();
    const canvases = shown.map((panel) => ({
      canvas: panel.canvas, caption: [panel.caption.textContent, panel.compared.textContent].filter(Boolean).join(" · "),
    }));
    saveCanvas(composePicture(canvases, this.summary.textContent ?? "", this), `${this.form?.lab}.png`);
    this.sharpness = window.devicePixelRatio || 1;
    for (const panel of shown) panel.draw();
  }
}

/**
 * Show a lab in a cell's output; anywidget calls what this returns when the output goes.
 * @param {{ model: Labs.Model, el: HTMLElement }} view
 */
function render({ model, el }) {
  const lab = new Lab(model, el);
  return () => lab.dispose();
}

export default { render };
