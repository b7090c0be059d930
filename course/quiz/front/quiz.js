/**
 * A question in a notebook: options that are chosen by a click, by their letter or number, or with
 * the arrow keys and Enter. Python judges; here stands only what is seen.
 *
 * The state that Python sends is read whole at each change (`Quizzes.State` in messages.d.ts).
 */

import { keepKeys, make, newId, setText } from "../../labs/front/dom.js";
import { sends } from "../../labs/front/page.js";

const BUSY_AFTER_MS = 1000;
const BUSY = "Python is busy. Your answer is looked at as soon as it is free. If the kernel was restarted, run this cell again.";
const LOST = "The kernel behind this question has stopped or was restarted. Run this cell again, and answer then.";
const MARKS = { right: "✓ right", wrong: "✗ not this", chosen: "● chosen" };

/** @type {WeakMap<Element, string>} */
const written = new WeakMap();

/** One view of a question. */
class Quiz {
  /**
   * @param {Quizzes.Model} model
   * @param {HTMLElement} host
   */
  constructor(model, host) {
    this.model = model;
    /** @type {HTMLButtonElement[]} */
    this.buttons = [];
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    const id = newId("quiz");
    this.asks = make("div", { class: "course-quiz-asks", id });
    this.options = make("div", { class: "course-quiz-options", role: "radiogroup", "aria-labelledby": id });
    this.says = make("div", { class: "course-quiz-says", role: "status", "aria-live": "polite" });
    this.notice = make("p", { class: "course-quiz-notice", role: "alert", hidden: true });
    this.root = make("section", { class: "course-quiz course-live", "aria-labelledby": id }, this.asks, this.options, this.says, this.notice);
    this.options.addEventListener("keydown", (event) => this.onKey(event));
    this.onState = () => this.show();
    this.onKernel = () => this.ask() && this.tell(""); // it went, or is there again
    model.on("change:state", this.onState);
    model.on("comm_live_update", this.onKernel);
    host.append(this.root);
    this.show();
  }

  dispose() {
    clearTimeout(this.timer);
    this.model.off("change:state", this.onState);
    this.model.off("comm_live_update", this.onKernel);
    this.root.remove();
  }

  /** Show the state; buttons that are there stay, and so does the focus. */
  show() {
    clearTimeout(this.timer);
    this.tell("");
    const state = this.model.get("state");
    setHtml(this.asks, state.asks);
    this.asks.hidden = !state.asks;
    if (this.buttons.length !== state.options.length) {
      this.buttons = state.options.map((_, place) => this.makeButton(place, state.kind));
      this.options.replaceChildren(...this.buttons);
    }
    this.options.hidden = state.options.length === 0;
    state.options.forEach((option, place) => this.showOption(place, option, state.chosen === place));
    setHtml(this.says, state.says);
    this.says.className = `course-quiz-says${state.right ? " is-right" : ""}`;
    this.moveStop(state.chosen ?? 0);
  }

  /**
   * @param {number} place
   * @param {Quizzes.State["kind"]} kind
   */
  makeButton(place, kind) {
    const button = keepKeys(make("button", { type: "button", role: kind === "show" ? null : "radio" },
      make("span", { class: "course-quiz-letter", "aria-hidden": "true" }, kind === "show" ? "" : letter(place)),
      make("span", { class: "course-quiz-option" }),
      make("span", { class: "course-quiz-mark", "aria-hidden": "true" })));
    button.addEventListener("click", () => this.choose(place));
    return button;
  }

  /**
   * @param {number} place
   * @param {Quizzes.Option} option
   * @param {boolean} chosen - whether it was chosen last
   */
  showOption(place, option, chosen) {
    const button = this.buttons[place];
    const mark = option.mark ? MARKS[option.mark] : "";
    setHtml(button.children[1], option.html);
    setText(button.children[2], mark);
    button.className = option.mark ? `is-${option.mark}` : "";
    if (button.getAttribute("role") === "radio") {
      button.setAttribute("aria-checked", String(chosen));
      button.setAttribute("aria-label", [`${letter(place)}. ${option.spoken}`, mark.slice(2)].filter(Boolean).join(" – "));
    }
  }

  /**
   * Let Tab stop at one option of the group, as it does in every group of radio buttons.
   * @param {number} place
   */
  moveStop(place) {
    this.buttons.forEach((button, i) => button.setAttribute("tabindex", i === place ? "0" : "-1"));
  }

  /**
   * @param {number} place
   */
  choose(place) {
    this.moveStop(place);
    if (!this.ask({ type: "choose", place })) return;
    this.timer = setTimeout(() => this.tell(BUSY), BUSY_AFTER_MS);
  }

  /**
   * Send a message; returns false, and says so to the learner, where no kernel is there to take it.
   * @param {Quizzes.Sent} message
   */
  ask(message = { type: "there" }) {
    const sent = sends(this.model, message);
    clearTimeout(this.timer);
    if (!sent) this.tell(LOST);
    return sent;
  }

  /**
   * @param {string} notice
   */
  tell(notice) {
    setText(this.notice, notice);
    this.notice.hidden = !notice;
  }

  /**
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = this.buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const named = placeOf(event.key);
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (named !== null && this.buttons[named]) {
      this.buttons[named].focus();
      this.choose(named);
    } else if (step !== undefined) {
      const next = (at + step + this.buttons.length) % this.buttons.length;
      this.moveStop(next);
      this.buttons[next].focus();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

/**
 * A, B, C, ... for the places 0, 1, 2, ...
 * @param {number} place
 */
function letter(place) {
  return String.fromCharCode(65 + place);
}

/**
 * The place that a key names: a, b, c or 1, 2, 3; null for any other key.
 * @param {string} key
 */
function placeOf(key) {
  if (/^[1-9]$/.test(key)) return Number(key) - 1;
  return /^[a-z]$/i.test(key) ? key.toUpperCase().charCodeAt(0) - 65 : null;
}

/**
 * Write the course's own HTML, only where it changes.
 * @param {Element} node
 * @param {string} html
 */
function setHtml(node, html) {
  if (written.get(node) === html) return;
  node.innerHTML = html;
  written.set(node, html);
}

/**
 * Show a question in a cell's output; anywidget calls what this returns when the output goes.
 * @param {{ model: Quizzes.Model, el: HTMLElement }} view
 */
function render({ model, el }) {
  const quiz = new Quiz(model, el);
  return () => quiz.dispose();
}

export default { render };
