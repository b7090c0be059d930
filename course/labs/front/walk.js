/** What panels share that go from step to step. */

import { Panel } from "./panel.js";

/**
 * A panel in which one of many steps is chosen.
 *
 * @template {Labs.StepsSpec} S
 * @template {Labs.PanelMeta & { chosen: number }} M
 * @extends {Panel<S, M>}
 */
export class WalkPanel extends Panel {
  showTable() {}

  /**
   * An answer that was on its way does not take back the steps that were made meanwhile.
   * @param {Partial<M>} meta
   * @param {DataView[]} buffers
   */
  update(meta, buffers) {
    const ahead = this.ready && this.lab.isMoving(this.spec.chooses);
    super.update(ahead ? { ...meta, chosen: this.meta.chosen } : meta, buffers);
  }

  /**
   * The mark moves at once, the pictures follow from Python.
   * @param {number} step
   */
  choose(step) {
    if (step === this.meta.chosen) return;
    this.meta.chosen = step;
    if (this.draws(step)) this.mark();
    this.lab.change({ [this.spec.chooses]: step });
  }

  /**
   * Whether a step is among those that are drawn now.
   * @param {number} _step
   */
  draws(_step) {
    return true;
  }

  /** Mark the chosen step. */
  mark() {}
}
