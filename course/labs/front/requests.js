/**
 * What was moved and Python has not answered. At most one request is under way; what is moved
 * meanwhile waits, the newest value of each control only: the latest request wins, and a drag never
 * queues up. Nothing here touches the page.
 */
export class Requests {
  constructor() {
    /** @type {Labs.Values} */
    this.pending = {};
    /** @type {Labs.Request | null} */
    this.underWay = null;
    this.sent = 0;
  }

  /**
   * Note what was moved, the last move last; what waited for the same control is replaced.
   * @param {Labs.Values} changes
   */
  note(changes) {
    for (const name of Object.keys(changes)) delete this.pending[name];
    Object.assign(this.pending, changes);
  }

  /** Take the next request to send; null while one is under way or nothing waits. */
  next() {
    if (this.underWay !== null || Object.keys(this.pending).length === 0) return null;
    this.underWay = { request: ++this.sent, changes: this.pending };
    this.pending = {};
    return this.underWay;
  }

  /**
   * Take in an answer; returns whether it is to the request under way.
   * @param {number | undefined} request
   */
  answer(request) {
    if (this.underWay === null || request !== this.underWay.request) return false;
    this.underWay = null;
    return true;
  }

  /**
   * Whether a control was moved and Python has not answered yet.
   * @param {string} name
   */
  isMoving(name) {
    return name in this.pending || (this.underWay !== null && name in this.underWay.changes);
  }
}
