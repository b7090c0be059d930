/** Before and after: what a lab shows is kept, and what follows is shown as difference from it. */

import { textChange } from "./differences.js";
import { keepKeys, make, setText } from "./dom.js";
import { sameValue } from "./text.js";

const COMPARED = "Kept. From now on the pictures show what differs from this.";
const RELEASED = "No longer compared: the pictures show what is there now.";
const NOTHING_YET = "Compared with what was kept. All settings are as they were.";
const SPEECH_MS = 700; // after which the settings that differ are read aloud

/**
 * The comparison of one view: its button, and the line that names the settings that differ.
 */
export class Comparison {
  /**
   * @param {Labs.Compared} lab
   */
  constructor(lab) {
    this.lab = lab;
    /** @type {Map<string, Labs.Setting> | null} */
    this.kept = null; // the settings, while there is a comparison
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.button = keepKeys(make("button", {
      type: "button", "aria-pressed": "false", title: "Keep what is shown, and show what follows as difference from it.",
    }, "Compare with this"));
    this.line = make("p", { class: "course-lab-differs", hidden: true });
    this.spoken = make("p", { class: "course-lab-spoken", role: "status" });
    this.button.addEventListener("click", () => this.toggle());
  }

  toggle() {
    const on = this.kept === null;
    // A panel that is not shown now may hold what it showed long ago.
    for (const panel of this.lab.panels.values()) on && this.lab.applies(panel.spec.show) ? panel.keep() : panel.forget();
    this.show(on ? this.settings() : null);
    clearTimeout(this.timer);
    setText(this.spoken, on ? COMPARED : RELEASED);
  }

  /**
   * Show the comparison with these settings, or none.
   * @param {Map<string, Labs.Setting> | null} kept
   */
  show(kept) {
    this.kept = kept;
    this.button.setAttribute("aria-pressed", String(kept !== null));
    this.line.hidden = kept === null;
    this.lab.redraw();
    this.renew();
  }

  /**
   * What is compared with, for the lab that comes after this one; null where nothing is.
   * @returns {Labs.Kept | null}
   */
  leave() {
    return this.kept && { settings: this.kept, panels: new Map([...this.lab.panels].map(([name, panel]) => [name, panel.before])) };
  }

  /**
   * Go on with the comparison of the lab that was here before.
   * @param {Labs.Kept} left
   */
  resume({ settings, panels }) {
    for (const [name, panel] of this.lab.panels) {
      panel.before = panels.get(name) ?? null;
      if (panel.ready) panel.compare(); // else with its first picture
    }
    this.show(settings);
  }

  /** Name the settings that differ now, at once, and aloud when they have come to rest. */
  renew() {
    if (!this.kept) return;
    const told = this.tell(this.kept);
    if (told === this.line.textContent) return;
    setText(this.line, told);
    clearTimeout(this.timer);
    if (this.lab.controls.size) this.timer = setTimeout(() => setText(this.spoken, told), SPEECH_MS);
  }

  dispose() {
    clearTimeout(this.timer);
  }

  /** The controls' values, and what is chosen in the pictures alone. */
  settings() {
    /** @type {Map<string, Labs.Setting>} */
    const settings = new Map();
    for (const [name, control] of this.lab.controls) {
      const { kind, label } = control.spec;
      if (kind !== "button") settings.set(name, { label, value: control.value(), words: control.words(), isText: kind === "text" });
    }
    for (const name of [...this.lab.panels.values()].flatMap(({ spec }) => [spec.chooses ?? []].flat())) {
      const value = name ? this.lab.values[name] : undefined;
      if (name && !settings.has(name) && typeof value === "number") settings.set(name, { label: name.replaceAll("_", " "), value, words: String(value), isText: false });
    }
    return settings;
  }

  /**
   * @param {Map<string, Labs.Setting>} kept
   */
  tell(kept) {
    const differing = [...this.settings()].flatMap(([name, { label, value, words, isText }]) => {
      const before = kept.get(name);
      if (!before || sameValue(before.value, value)) return [];
      return [`${label} ${isText ? textChange(before.words, words) : `${before.words} → ${words}`}`];
    });
    return differing.length ? `Compared with what was kept: ${differing.join("; ")}.` : NOTHING_YET;
  }
}
