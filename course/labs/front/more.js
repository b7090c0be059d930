/** What a view shows at first, and what only under "More". */

import { keepKeys, make, newId, setText } from "./dom.js";

/** Remembered in this browser, for each kind of lab, where the browser lets a page remember. */
const STORED = "course-lab-more:";

/**
 * @param {string} lab
 */
function remembered(lab) {
  try {
    return localStorage.getItem(STORED + lab) === "open";
  } catch {
    return false; // storage is switched off
  }
}

/**
 * @param {string} lab
 * @param {boolean} open
 */
function remember(lab, open) {
  try {
    localStorage.setItem(STORED + lab, open ? "open" : "closed");
  } catch {
    // Storage is switched off or full: this view knows all the same.
  }
}

/**
 * The button, and the region of the controls that it folds away; it folds panels away too.
 */
export class More {
  /**
   * @param {Labs.Form} form
   * @param {string[]} changed - settings that are not as the lab begins by itself
   * @param {() => void} toggled
   */
  constructor(form, changed, toggled) {
    this.lab = form.lab;
    const controls = form.groups.flatMap((group) => group.controls.filter((spec) => isFolded(group, spec)));
    const panels = form.panels.filter(({ more }) => more);
    const what = [controls.length && "settings", panels.length && "pictures"].filter(Boolean).join(" and ");
    this.there = Boolean(what);
    this.open = remembered(form.lab) || changed.some((name) => !seenAtFirst(form).has(name));
    this.region = make("div", { class: "course-lab-groups course-lab-folded", id: newId("more") });
    this.button = keepKeys(make("button", { type: "button", class: "course-lab-more", "aria-controls": this.region.id }));
    this.button.hidden = !this.there;
    this.words = `More ${what}`;
    this.show();
    this.button.addEventListener("click", () => {
      this.open = !this.open;
      remember(this.lab, this.open);
      this.show();
      toggled();
    });
  }

  show() {
    this.button.setAttribute("aria-expanded", String(this.open));
    setText(this.button, `${this.open ? "▾" : "▸"} ${this.words}`);
    this.region.hidden = !this.open || !this.there;
  }

  /**
   * Whether a panel is folded away now.
   * @param {Labs.PanelSpec} spec
   */
  hides(spec) {
    return Boolean(spec.more) && !this.open;
  }
}

/**
 * @param {Labs.Group} group
 * @param {Labs.ControlSpec} spec
 */
export function isFolded(group, spec) {
  return Boolean(group.more || spec.more) && !spec.main;
}

/**
 * The settings that are seen while all is folded: by their controls, or chosen in a picture.
 * @param {Labs.Form} form
 * @returns {Set<string | null | undefined>}
 */
export function seenAtFirst(form) {
  const controls = form.groups.flatMap((group) => group.controls.filter((spec) => !isFolded(group, spec)));
  const panels = /** @type {(Labs.PanelSpec & { chooses?: any, sends?: string })[]} */ (form.panels).filter(({ more }) => !more);
  return new Set([
    ...controls.flatMap(({ name, sets }) => [name, sets]),
    ...panels.flatMap(({ chooses, sends }) => [chooses ?? [], sends ?? []].flat()),
  ]);
}
