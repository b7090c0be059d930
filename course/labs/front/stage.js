/** What runs in the theatre, how far it is, and its buttons. */

import { keepKeys, make, setText } from "./dom.js";
import { Panel } from "./panel.js";

/**
 * The head of what runs for a while, such as a training: title, whose parts it has, its state, and the buttons that drive it.
 *
 * @extends {Panel<Labs.StageSpec, Labs.StageMeta>}
 */
export class StagePanel extends Panel {
  /**
   * @param {Labs.StageSpec} spec
   * @param {Labs.Host} lab
   */
  constructor(spec, lab) {
    super(spec, lab);
    this.parts = make("p", { class: "course-lab-help" });
    this.label = make("p", { class: "course-lab-recording", hidden: true });
    this.runs = make("div", { class: "course-lab-runs" });
    this.buttons = make("div", { class: "course-lab-transport", role: "group", "aria-label": spec.drives ?? "The training" });
    this.spoken = make("p", { class: "course-lab-spoken", role: "status" });
    this.node.append(this.parts, this.label, this.buttons, this.runs, this.spoken);
    /** @type {Map<string, HTMLButtonElement>} */
    this.made = new Map();
    this.pressed = 0; // steps that Python was not told of
  }

  draw() {
    if (!this.ready) return;
    const { parts, recording, runs, buttons, said } = this.meta;
    setText(this.parts, parts);
    setText(this.label, recording);
    this.label.hidden = !recording;
    this.drawRuns(runs);
    for (const button of buttons) this.drawButton(button);
    setText(this.spoken, said);
  }

  /**
   * @param {Labs.RunState[]} runs
   */
  drawRuns(runs) {
    while (this.runs.children.length > runs.length) this.runs.lastChild?.remove();
    while (this.runs.children.length < runs.length) {
      this.runs.append(make("p", {}, make("span", { class: "course-lab-state" }), make("progress")));
    }
    runs.forEach(({ words, name, step, total }, i) => {
      const [told, bar] = /** @type {[HTMLElement, HTMLProgressElement]} */ (/** @type {unknown} */ ([...this.runs.children[i].children]));
      setText(told, words);
      bar.max = Math.max(1, total);
      bar.value = step;
      bar.setAttribute("aria-label", `${name || "The run"}: ${this.spec.counts ?? "updates made"}`);
    });
  }

  /**
   * A button that does nothing now stays where it is, and keeps the focus.
   * @param {Labs.StageButton} button
   */
  drawButton({ name, label, sends, off }) {
    let node = this.made.get(name);
    if (!node) {
      node = keepKeys(make("button", { type: "button", "data-press": name }));
      node.addEventListener("click", () => this.press(name));
      this.made.set(name, node);
      this.buttons.append(node);
    }
    setText(node, label);
    node.setAttribute("aria-disabled", String(Boolean(off)));
    node.title = off || "";
    node.dataset.sends = String(sends ?? "");
  }

  /**
   * @param {string} name
   */
  press(name) {
    const node = this.made.get(name);
    if (!node || node.getAttribute("aria-disabled") === "true") return;
    const waiting = this.lab.isMoving(name);
    this.pressed = waiting ? this.pressed + 1 : 1; // of steps pressed quickly none is lost
    this.lab.change({ [name]: node.dataset.sends || this.pressed });
  }

  /** All of it is words. */
  showTable() {}
}
