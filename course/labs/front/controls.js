/** The native, labelled controls. */

import { keepKeys, make, newId, setText } from "./dom.js";
import { firstOf, formatNumber, sameValue } from "./text.js";

/**
 * What tells that a control was moved, where it is not "input".
 * @type {Record<string, string>}
 */
const EVENTS = { button: "click", check: "change", select: "change" };

/**
 * One native, labelled control. `spec`: {name, kind, label, ...}; kinds text (placeholder,
 * longest), number and range (least, most, step; a range may say what it `shows` for 0, 1, ...),
 * select (choices [[value, label]]), check, button.
 */
export class Control {
  /**
   * @param {Labs.ControlSpec} spec
   * @param {(name: string, value: any) => void} changed
   */
  constructor(spec, changed) {
    this.spec = spec;
    /** @type {Labs.Choice[] | null} */
    this.choices = null;
    const id = newId("control");
    this.input = keepKeys(this.makeInput(spec, id));
    this.output = spec.kind === "range" ? make("output", { for: id }) : null;
    this.showOutput(); // where the first value is the range's own, nothing else would
    const text = spec.kind === "button" ? null : make("label", { for: id }, spec.label);
    this.cut = spec.longest ? make("small", { class: "course-lab-cut", role: "status" }) : null;
    const parts = spec.kind === "check" ? [this.input, text] : [text, this.input, this.output, this.cut];
    const long = spec.long ? " is-long" : "";
    this.node = make("span", { class: `course-lab-control is-${spec.kind}${long}` }, ...parts);
    if (spec.help) this.input.title = spec.help;
    const event = EVENTS[spec.kind] ?? "input";
    /** @type {number[] | undefined} */
    this.allowed = undefined; // what a step may lead to
    this.before = NaN;
    this.input.addEventListener(event, (moved) => {
      if (spec.kind === "number") this.stepOn(moved);
      this.showOutput();
      this.showCut();
      changed(spec.name, this.value());
    });
  }

  /**
   * @param {Labs.ControlSpec} spec
   * @param {string} id
   */
  makeInput(spec, id) {
    if (spec.kind === "button") return make("button", { id, type: "button" }, spec.label);
    if (spec.kind === "select") return make("select", { id });
    const type = spec.kind === "check" ? "checkbox" : spec.kind;
    return make("input", {
      id, type, min: spec.least, max: spec.most, step: spec.step, placeholder: spec.placeholder,
      autocomplete: "off", spellcheck: "false",
    });
  }

  /** The control, where it is an <input>. */
  get field() {
    return /** @type {HTMLInputElement} */ (this.input);
  }

  /** The control, where it is a <select>. */
  get select() {
    return /** @type {HTMLSelectElement} */ (this.input);
  }

  /** @returns {any} */
  value() {
    if (this.spec.kind === "button") return true;
    if (this.spec.kind === "check") return this.field.checked;
    if (this.spec.kind === "select") return this.choices?.[this.select.selectedIndex]?.[0] ?? null;
    if (this.spec.kind === "text") return firstOf(this.field.value, this.spec.longest);
    return Number.isNaN(this.field.valueAsNumber) ? null : this.field.valueAsNumber;
  }

  /**
   * A step leads to the next number that is allowed; what is typed stays as it is.
   * @param {Event} moved
   */
  stepOn(moved) {
    const [from, to] = [this.before, this.field.valueAsNumber];
    const typed = moved instanceof InputEvent && moved.inputType;
    if (this.allowed && !typed && Math.abs(to - from) === (this.spec.step ?? 1) && !this.allowed.includes(to)) {
      const ahead = this.allowed.filter((value) => (to > from ? value > from : value < from));
      this.field.value = String(ahead.length === 0 ? from : to > from ? Math.min(...ahead) : Math.max(...ahead));
    }
    this.before = this.field.valueAsNumber;
  }

  /**
   * Mark the control where Python refused its value; `notice` is the id of the sentence that says why.
   * @param {string | undefined} why
   * @param {string} notice
   */
  refuse(why, notice) {
    if (why === undefined) {
      this.input.removeAttribute("aria-invalid");
      this.input.removeAttribute("aria-errormessage");
    } else {
      this.input.setAttribute("aria-invalid", "true");
      this.input.setAttribute("aria-errormessage", notice);
    }
  }

  /**
   * @param {any} value
   */
  set(value) {
    if (this.spec.kind === "button" || sameValue(value, this.value())) return;
    if (this.spec.kind === "check") this.field.checked = Boolean(value);
    else if (this.spec.kind === "select") this.select.selectedIndex = this.indexOf(value);
    else this.field.value = value ?? "";
    this.before = this.field.valueAsNumber;
    this.showOutput();
    this.showCut();
  }

  /**
   * @param {unknown} value
   */
  indexOf(value) {
    return (this.choices ?? []).findIndex(([choice]) => sameValue(choice, value));
  }

  /**
   * @param {Labs.Choice[]} choices
   */
  setChoices(choices) {
    if (sameValue(choices, this.choices)) return;
    this.choices = choices;
    this.input.replaceChildren(...choices.map(([, label]) => make("option", {}, label)));
  }

  /** The value as a person reads it. */
  words() {
    const value = this.value();
    if (this.spec.kind === "check") return value ? "on" : "off";
    if (this.spec.kind === "select") return this.choices?.[this.select.selectedIndex]?.[1] ?? "none";
    if (this.spec.kind === "range") return this.output?.textContent ?? String(value);
    return value === null ? "nothing" : String(value);
  }

  /** Say how much of a long text is used; what was typed stays in the field. */
  showCut() {
    if (!this.cut) return;
    const [used, all] = [this.value(), this.field.value].map((text) => [...text].length);
    setText(this.cut, used === all ? "" : `Used: the first ${used.toLocaleString("en")} of ${all.toLocaleString("en")} characters.`);
  }

  showOutput() {
    if (!this.output) return;
    const value = this.field.valueAsNumber;
    const text = this.spec.shows?.[value] ?? formatNumber(value, this.spec.digits ?? 2);
    setText(this.output, text);
    this.input.setAttribute("aria-valuetext", text);
  }
}
