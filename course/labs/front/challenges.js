/**
 * The tasks of a lab: a list below its pictures, folded behind a line that says how many are reached.
 * A line of one height stands above the pictures, leads there, and says that a task is reached: a
 * picture that moves down under the pointer would take the click for another cell.
 */

import { keepKeys, make, newId, setText } from "./dom.js";
import { isUnfolded, keepUnfolded } from "./page.js";

/**
 * Say how many tasks are reached.
 * @param {Labs.Challenge[]} tasks
 */
export function tasksLine(tasks) {
  return `Tasks: ${tasks.filter(({ why }) => why).length} of ${tasks.length} reached`;
}

/**
 * Say which tasks are reached that were not before; nothing where the tasks were not known before.
 * @param {Labs.Challenge[]} before
 * @param {Labs.Challenge[]} now
 */
export function tellReached(before, now) {
  const open = new Set(before.filter(({ why }) => !why).map(({ id }) => id));
  return now.flatMap(({ id, why }, i) => (why && open.has(id) ? [`Task ${i + 1} reached. ${why}`] : [])).join(" ");
}

/**
 * Point to what is told below.
 * @param {string} told - what `tellReached` gave
 */
export function pointBelow(told) {
  const numbers = [...told.matchAll(/Task (\d+) reached\./g)].map(([, number]) => number);
  return numbers.length ? `✓ Task ${numbers.join(", ")} reached: see below.` : "";
}

/** A task's part of the page. */
class TaskItem {
  /**
   * @param {Labs.Challenge} task
   * @param {number} number
   */
  constructor(task, number) {
    const id = newId("hint");
    this.state = make("span");
    this.why = make("p", { hidden: true });
    const hint = make("p", { id, hidden: true }, task.hint);
    const button = keepKeys(make("button", { type: "button", "aria-expanded": "false", "aria-controls": id, "aria-label": `Hint for task ${number}` }, "Hint"));
    button.addEventListener("click", () => {
      hint.hidden = !hint.hidden;
      button.setAttribute("aria-expanded", String(!hint.hidden));
    });
    this.node = make("li", {}, this.state, ` ${task.asks} `, button, hint, this.why);
    this.take(task);
  }

  /**
   * @param {Labs.Challenge} task
   */
  take({ why }) {
    this.state.className = why ? "is-reached" : "";
    setText(this.state, why ? "✓ reached:" : "○ to do:");
    setText(this.why, why ?? "");
    this.why.hidden = !why;
  }
}

/** What stands under a lab; hidden while there are no tasks. */
export class Challenges {
  constructor() {
    this.lab = "";
    /** @type {Labs.Challenge[]} */
    this.tasks = [];
    /** @type {TaskItem[]} */
    this.items = [];
    this.line = keepKeys(make("summary"));
    this.list = make("ol");
    this.fold = make("details", {}, this.line, this.list);
    this.fold.addEventListener("toggle", () => keepUnfolded(this.lab, this.fold.open));
    this.told = make("p", { class: "course-lab-told", "aria-live": "polite" });
    this.node = make("div", { class: "course-lab-challenges", role: "group", hidden: true }, this.told, this.fold);
    this.way = keepKeys(make("button", { type: "button" }));
    this.way.addEventListener("click", () => this.unfold());
    this.news = make("span");
    this.pointer = make("p", { class: "course-lab-pointer", hidden: true }, this.way, this.news);
  }

  /** Go to the list. */
  unfold() {
    this.fold.open = true;
    this.line.focus();
  }

  /**
   * Give the list, folded as it was last on this page.
   * @param {Labs.Form} form
   */
  build(form) {
    this.lab = form.lab;
    this.node.setAttribute("aria-label", `Tasks in the ${form.title}`);
    this.fold.open = isUnfolded(form.lab);
    return this.node;
  }

  /**
   * Show how the tasks stand, and tell which one is reached now.
   * @param {Labs.Challenge[]} tasks
   */
  take(tasks) {
    const told = tellReached(this.tasks, tasks);
    if (tasks.map(({ id }) => id).join() !== this.tasks.map(({ id }) => id).join()) {
      this.items = tasks.map((task, i) => new TaskItem(task, i + 1));
      this.list.replaceChildren(...this.items.map(({ node }) => node));
    }
    this.tasks = tasks;
    this.items.forEach((item, i) => item.take(tasks[i]));
    setText(this.line, tasksLine(tasks));
    setText(this.way, `${tasksLine(tasks)} ↓`);
    if (told) {
      setText(this.told, told);
      setText(this.news, pointBelow(told));
    }
    this.node.hidden = this.pointer.hidden = tasks.length === 0;
  }
}
