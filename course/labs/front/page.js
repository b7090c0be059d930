/**
 * What all labs of one page share. Each lab's text is a module of its own, and so are its variables;
 * the page is one.
 */

/** @type {any} */
const page = globalThis;
/** @type {{ ids: number, kept: WeakMap<Element, Record<string, Labs.Left>>, unfolded: Record<string, boolean> }} */
const shared = (page.courseLabs ??= { ids: 0, kept: new WeakMap(), unfolded: {} });

/** Count what was made on this page, by whatever lab. */
export function nextNumber() {
  return ++shared.ids;
}

/**
 * Keep a lab's settings, and what it compares with, for the lab that comes into the same cell.
 * @param {Element} cell
 * @param {string} lab
 * @param {Labs.Left} left
 */
export function keepSettings(cell, lab, left) {
  shared.kept.set(cell, { ...shared.kept.get(cell), [lab]: left });
}

/**
 * Take what was kept for a lab, once.
 * @param {Element} cell
 * @param {string} lab
 * @returns {Labs.Left | undefined}
 */
export function takeSettings(cell, lab) {
  const kept = shared.kept.get(cell);
  const left = kept?.[lab];
  if (kept) delete kept[lab];
  return left;
}

/**
 * Whether a lab's tasks were unfolded when they were last seen on this page.
 * @param {string} lab
 */
export function isUnfolded(lab) {
  return shared.unfolded[lab] ?? false;
}

/**
 * Keep whether a lab's tasks are unfolded.
 * @param {string} lab
 * @param {boolean} open
 */
export function keepUnfolded(lab, open) {
  shared.unfolded[lab] = open;
}

/**
 * Send a message to Python; returns whether there is a kernel to take it.
 * @template T
 * @param {{ send(message: T): void }} model
 * @param {T} message
 */
export function sends(model, message) {
  try {
    model.send(message);
  } catch {
    return false;
  }
  return true;
}
