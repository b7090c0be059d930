/** A group of small toggle buttons that choose several of a few things. */

import { keepKeys, make, newId, partId } from "./dom.js";
import { sameValue } from "./text.js";

const KEYS = ["ArrowLeft", "ArrowRight", "Home", "End"];

/**
 * Toggle buttons with numbers, one for each choice, and two that press all or the chosen one alone.
 * Its value is a list of what is pressed; an empty list is sent for the chosen one alone, and Python
 * answers with that one. One button is a tab stop; arrow keys lead to the others.
 */
export class Chips {
  /**
   * @param {Labs.ControlSpec} spec
   * @param {(name: string, value: any) => void} changed
   */
  constructor(spec, changed) {
    this.spec = spec;
    this.changed = changed;
    /** @type {number[] | undefined} */
    this.allowed = undefined;
    /** @type {Labs.Choice[]} */
    this.choices = [];
    /** @type {any[]} */
    this.pressed = [];
    const id = newId("control");
    const label = make("span", { id: partId(id, "label") }, spec.label);
    this.all = this.makeButton("all", `all ${spec.item}s`, () => this.press(this.choices.map(([value]) => value)));
    this.nearest = this.makeButton(spec.nearest ?? "one", null, () => this.press([]));
    this.buttons = [this.all, this.nearest];
    this.group = make("span", { id, class: "course-lab-chips", role: "group", "aria-labelledby": label.id }, ...this.buttons);
    this.group.addEventListener("keydown", (event) => this.onKey(event));
    this.node = make("span", { class: "course-lab-control is-chips" }, label, this.group);
    this.stop = this.all;
    this.stopAt(this.all);
  }

  /**
   * @param {string} text
   * @param {string | null} label
   * @param {() => void} press
   */
  makeButton(text, label, press) {
    const button = keepKeys(make("button", { type: "button", "aria-label": label, tabindex: "-1" }, text));
    button.addEventListener("click", () => {
      this.stopAt(button);
      press();
    });
    return button;
  }

  /** What takes the focus. */
  get input() {
    return this.stop;
  }

  /** @returns {any} */
  value() {
    return this.pressed;
  }

  /** The value as a person reads it. */
  words() {
    const labels = this.choices.filter(([value]) => this.pressed.includes(value)).map(([, label]) => label);
    return labels.join(", ") || "none";
  }

  /**
   * @param {any} value
   */
  set(value) {
    this.pressed = Array.isArray(value) ? value : [];
    this.chips.forEach((chip, i) => chip.setAttribute("aria-pressed", String(this.pressed.includes(this.choices[i][0]))));
  }

  /** The buttons of the choices. */
  get chips() {
    return this.buttons.slice(0, this.choices.length);
  }

  /**
   * @param {Labs.Choice[]} choices
   */
  setChoices(choices) {
    if (sameValue(choices, this.choices)) return;
    this.choices = choices;
    const chips = choices.map(([value, label], i) => {
      const chip = this.makeButton(label, `${this.spec.item} ${label}`, () => this.toggle(value));
      const again = i >= 8 ? " is-again" : ""; // the colours begin again, dashed
      chip.className = `course-lab-chip has-colour-${i % 8}${again}`;
      return chip;
    });
    this.buttons = [...chips, this.all, this.nearest];
    this.group.replaceChildren(...this.buttons);
    if (!this.buttons.includes(this.stop)) this.stopAt(this.buttons[0]);
    this.set(this.pressed);
  }

  /**
   * @param {any} value
   */
  toggle(value) {
    const pressed = this.pressed.includes(value) ? this.pressed.filter((each) => each !== value) : [...this.pressed, value];
    this.press(this.choices.map(([each]) => each).filter((each) => pressed.includes(each)));
  }

  /**
   * @param {any[]} value
   */
  press(value) {
    if (value.length) this.set(value);
    this.changed(this.spec.name, value);
  }

  /**
   * Let Tab lead to this button of the group.
   * @param {HTMLButtonElement} button
   */
  stopAt(button) {
    this.stop.setAttribute("tabindex", "-1");
    this.stop = button;
    button.setAttribute("tabindex", "0");
  }

  /**
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    if (!KEYS.includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    const [at, last] = [this.buttons.indexOf(this.stop), this.buttons.length - 1];
    const to = { ArrowLeft: Math.max(at - 1, 0), ArrowRight: Math.min(at + 1, last), Home: 0, End: last }[event.key] ?? at;
    this.stopAt(this.buttons[to]);
    this.stop.focus();
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * Python refuses no choice of these.
   * @param {string | undefined} _why
   * @param {string} _notice
   */
  refuse(_why, _notice) {}
}
