/** A list of steps in words, with the code of the chosen one. */

import { keepKeys, make, partId, setText } from "./dom.js";
import { clamp, sameValue } from "./text.js";
import { WalkPanel } from "./walk.js";

/**
 * How many steps a key goes.
 * @type {Record<string, number | undefined>}
 */
const BY = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 };

/**
 * A list of steps in words, one chosen; below it what the chosen one does, and its lines of code.
 * A row's words (group, name, shape) come as one text with tabs between. The list itself has the
 * focus: arrow keys, Home and End go from step to step.
 *
 * @extends {WalkPanel<Labs.StepsSpec, Labs.StepsMeta>}
 */
export class StepsPanel extends WalkPanel {
  /**
   * @param {Labs.StepsSpec} spec
   * @param {Labs.Host} lab
   */
  constructor(spec, lab) {
    super(spec, lab);
    /** @type {string[] | null} */
    this.written = null;
    this.list = keepKeys(make("div", {
      class: "course-lab-scroller course-lab-steps", tabindex: "0", role: "listbox",
      "aria-labelledby": this.caption.id,
    }));
    this.says = make("p", { class: "course-lab-says" });
    this.code = make("pre", { class: "course-lab-code", "aria-label": "Code" });
    this.node.append(this.list, ...(this.help ? [this.help] : []), this.says, this.code);
    this.list.addEventListener("keydown", (event) => this.onKey(event));
    this.list.addEventListener("click", (event) => {
      const row = /** @type {Element} */ (event.target).closest("[role=option]");
      if (row) this.choose([...this.list.children].indexOf(row));
    });
  }

  /**
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    if (!this.ready || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.list.children.length - 1;
    const step = BY[event.key];
    const ends = event.key === "Home" ? 0 : event.key === "End" ? last : undefined;
    const to = ends ?? (step && clamp(this.meta.chosen + step, 0, last));
    if (to === undefined) return;
    this.choose(to);
    event.preventDefault();
    event.stopPropagation();
  }

  draw() {
    if (!this.ready) return;
    const rows = this.lab.words(this.meta.rows);
    if (!sameValue(rows, this.written)) {
      this.written = rows;
      this.list.replaceChildren(...rows.map((row, i) => make("div", { role: "option", id: partId(this.id, i) },
        ...row.split("\t").map((text) => make("span", {}, text)))));
    }
    this.mark();
    setText(this.says, this.meta.says);
    this.code.replaceChildren(...this.meta.code.flatMap(({ text, place }) => [
      make("span", { class: "course-lab-place" }, `${place}\n`), make("code", {}, `${text}\n`),
    ]));
  }

  mark() {
    const row = /** @type {HTMLElement | undefined} */ (this.list.children[this.meta.chosen]);
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
