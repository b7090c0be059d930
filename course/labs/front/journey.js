/** The way of a text through an encoder as stations: boxes in a row, one layer's at a time. */

import { keepKeys, make, setText } from "./dom.js";
import { clamp, sameValue } from "./text.js";
import { WalkPanel } from "./walk.js";

const PLAY_MS = 1500; // from step to step
const PULSE_MS = 350; // from box to box

/**
 * Stations of which one is where the text is. A station's box goes to its first step; left and right
 * go from station to station, up and down from step to step, Page Up and Page Down from layer to
 * layer; Play goes through all steps until a key or a click. The boxes are one group to Tab, as radio
 * buttons are.
 *
 * @extends {WalkPanel<Labs.JourneySpec, Labs.JourneyMeta>}
 */
export class JourneyPanel extends WalkPanel {
  /**
   * @param {Labs.JourneySpec} spec
   * @param {Labs.Host} lab
   */
  constructor(spec, lab) {
    super(spec, lab);
    /** @type {unknown} */
    this.written = null; // what the boxes say
    /** @type {HTMLButtonElement[]} */
    this.boxes = [];
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.playing = undefined;
    this.still = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.way = keepKeys(make("div", { class: "course-lab-way", role: "group", "aria-labelledby": this.caption.id }));
    this.way.addEventListener("keydown", (event) => this.onKey(event));
    this.pulse = make("span", { class: "course-lab-pulse", "aria-hidden": "true" });
    this.where = make("span", { class: "course-lab-where" });
    this.play = keepKeys(make("button", { type: "button", "aria-pressed": "false" }));
    this.play.addEventListener("click", () => this.onPlay());
    const bar = make("div", { class: "course-lab-tools" }, this.play, this.where);
    this.node.append(this.way, bar, ...(this.help ? [this.help] : []));
    this.stop = (/** @type {Event} */ event) => event.target !== this.play && this.pause();
    this.pause();
  }

  draw() {
    if (!this.ready) return;
    const boxes = this.meta.stations.map(({ label, shape, inside }) => ({ label, shape, inside }));
    if (!sameValue(boxes, this.written)) {
      this.written = boxes;
      this.build();
    }
    this.mark();
  }

  /** The boxes; those of the layer in a frame of their own, with its number. */
  build() {
    this.boxes = this.meta.stations.map(({ label, shape }, i) => {
      const box = keepKeys(make("button", { type: "button", class: "course-lab-station" },
        make("span", {}, label), make("span", { class: "course-lab-place" }, shape)));
      box.addEventListener("click", () => this.choose(this.meta.stations[i].steps[0]));
      return box;
    });
    /** @type {(i: number) => boolean} */
    const inside = (i) => this.meta.stations[i].inside;
    const [before, within, after] = [[], [], []].map(() => /** @type {HTMLElement[]} */ ([]));
    this.boxes.forEach((box, i) => (inside(i) ? within : within.length ? after : before).push(box));
    this.count = make("span");
    const head = make("span", { class: "course-lab-layer" }, this.turn(-1, "◀", "Layer before"), this.count, this.turn(1, "▶", "Next layer"));
    const layer = make("span", { class: "course-lab-layers" }, head, ...within);
    this.way.replaceChildren(...before, ...(within.length ? [layer] : []), ...after, this.pulse);
  }

  /**
   * A button that goes to the same step of another layer.
   * @param {number} by
   * @param {string} sign
   * @param {string} says
   */
  turn(by, sign, says) {
    const button = keepKeys(make("button", { type: "button", class: "course-lab-turn", "aria-label": says, title: says }, sign));
    button.addEventListener("click", () => this.turnTo(by));
    return button;
  }

  /**
   * Go to the same step, so many layers further.
   * @param {number} by
   */
  turnTo(by) {
    const layer = clamp((this.meta.layer ?? 0) + by, 0, this.meta.layers - 1);
    if (layer !== this.meta.layer) this.lab.change({ [this.spec.turns]: layer });
  }

  /** Where the text is: which box, which of the box's steps, and which boxes lie behind. */
  mark() {
    const { stations, chosen, layer, layers, last } = this.meta;
    const at = stationAt(stations, chosen);
    const before = this.boxes.findIndex((box) => box.hasAttribute("aria-current"));
    const focused = this.boxes.some((box) => box === document.activeElement);
    this.boxes.forEach((box, i) => {
      box.classList.toggle("is-passed", i < at);
      box.tabIndex = i === at ? 0 : -1;
      if (i === at) box.setAttribute("aria-current", "step");
      else box.removeAttribute("aria-current");
    });
    if (this.count && layer !== null) setText(this.count, layers > 1 ? `layer ${layer} of layers 0 to ${layers - 1}` : "the only layer");
    const { steps: [from, to], says } = stations[at];
    setText(this.where, `step ${chosen} of ${last}; ${chosen - from + 1} of ${to - from + 1} at this station: ${says}`);
    if (focused) this.boxes[at].focus({ preventScroll: true }); // into a layer that was not drawn, say
    if (before >= 0 && before !== at) this.move(this.boxes[before], this.boxes[at]);
    if (chosen >= last) this.pause();
  }

  /**
   * Let a dot run from box to box.
   * @param {HTMLElement} from
   * @param {HTMLElement} to
   */
  move(from, to) {
    if (this.still.matches || !this.pulse.animate) return;
    const page = this.way.getBoundingClientRect();
    const [start, end] = [from, to].map((box) => {
      const { left, top, width } = box.getBoundingClientRect();
      return `translate(${left - page.left + width / 2}px, ${top - page.top - 4}px)`;
    });
    this.pulse.animate(
      [{ transform: start, opacity: 1 }, { transform: end, opacity: 1 }, { transform: end, opacity: 0 }],
      { duration: PULSE_MS, easing: "ease-in-out" });
  }

  /**
   * One layer is drawn at a time.
   * @param {number} step
   */
  draws(step) {
    return this.meta.stations.some(({ steps: [from, to] }) => from <= step && step <= to);
  }

  /**
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    if (!this.ready || event.ctrlKey || event.metaKey || event.altKey) return;
    const { stations, chosen, last } = this.meta;
    const to = stepTo(event.key, stations, chosen, last);
    const layers = { PageUp: -1, PageDown: 1 }[event.key];
    if (layers) this.turnTo(layers);
    else if (to === null) return;
    else this.choose(to);
    this.boxes[stationAt(stations, this.meta.chosen)].focus();
    event.preventDefault();
    event.stopPropagation();
  }

  // Play: a key or a click anywhere in the lab ends it, and so do its end and a kernel that is gone.

  onPlay() {
    if (this.playing !== undefined) return this.pause();
    if (this.meta.chosen >= this.meta.last) this.choose(0);
    if (this.still.matches) return this.next();
    this.playing = setInterval(() => this.next(), PLAY_MS);
    for (const kind of ["keydown", "pointerdown"]) this.lab.root.addEventListener(kind, this.stop, true);
    this.play.setAttribute("aria-pressed", "true");
    setText(this.play, "❚❚ Pause");
  }

  /** One step on, unless Python has not answered the last one. */
  next() {
    if (!this.node.isConnected || this.lab.lost) this.pause();
    else if (!this.lab.isMoving(this.spec.chooses)) this.choose(clamp(this.meta.chosen + 1, 0, this.meta.last));
  }

  pause() {
    clearInterval(this.playing);
    this.playing = undefined;
    for (const kind of ["keydown", "pointerdown"]) this.lab.root.removeEventListener(kind, this.stop, true);
    this.play.setAttribute("aria-pressed", "false");
    setText(this.play, this.still.matches ? "▶ Next step" : "▶ Play");
  }
}

/**
 * The station to which a step belongs, by its place among those that are drawn; the last one before
 * it where it is in another layer.
 * @param {Labs.Station[]} stations
 * @param {number} step
 */
export function stationAt(stations, step) {
  const later = stations.findIndex(({ steps }) => steps[0] > step);
  return Math.max((later < 0 ? stations.length : later) - 1, 0);
}

/**
 * Where a key leads from a step: left and right to the first of the next station or of the one
 * before, up and down to the next step; null for a key that leads nowhere.
 * @param {string} key
 * @param {Labs.Station[]} stations
 * @param {number} step
 * @param {number} last
 */
export function stepTo(key, stations, step, last) {
  const [first, end] = stations[stationAt(stations, step)].steps;
  if (key === "ArrowDown") return Math.min(step + 1, last);
  if (key === "ArrowUp") return Math.max(step - 1, 0);
  if (key === "ArrowRight") return Math.min(end + 1, last);
  if (key === "ArrowLeft") {
    const before = stations[stationAt(stations, first - 1)].steps;
    // The station before the layer's first one is in the layer before, which is not drawn.
    return first === 0 ? 0 : before[1] < first - 1 ? first - 1 : before[0];
  }
  if (key === "Home") return 0;
  return key === "End" ? last : null;
}
