/** Paths on a canvas. */

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} toX
 * @param {number} toY
 */
export function line(context, x, y, toX, toY) {
  context.moveTo(x, y);
  context.lineTo(toX, toY);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {[number, number][]} corners
 */
function polygon(context, corners) {
  corners.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.closePath();
}

/**
 * A cross around a place.
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} r
 */
export function cross(context, x, y, r) {
  line(context, x - r, y - r, x + r, y + r);
  line(context, x - r, y + r, x + r, y - r);
}

/**
 * A circle around a place.
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} r
 */
export function ring(context, x, y, r) {
  context.moveTo(x + r, y);
  context.arc(x, y, r, 0, 2 * Math.PI);
}

/** Lines are told apart by colour and dash, points by colour and marker. */
export const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3], [14, 4], [4, 2, 1, 2, 1, 2]];
export const MARKERS = ["disc", "square", "triangle", "diamond", "cross", "plus"];

/**
 * Draw one of `MARKERS`.
 * @param {CanvasRenderingContext2D} context
 * @param {string} kind
 * @param {number} x
 * @param {number} y
 * @param {number} r
 */
export function drawMarker(context, kind, x, y, r) {
  if (!Number.isFinite(x) || !Number.isFinite(y)) return;
  context.beginPath();
  if (kind === "disc") context.arc(x, y, r, 0, 2 * Math.PI);
  else if (kind === "square") context.rect(x - r, y - r, 2 * r, 2 * r);
  else if (kind === "triangle") polygon(context, [[x, y - 1.3 * r], [x + 1.2 * r, y + r], [x - 1.2 * r, y + r]]);
  else if (kind === "diamond") polygon(context, [[x, y - 1.4 * r], [x + 1.4 * r, y], [x, y + 1.4 * r], [x - 1.4 * r, y]]);
  else {
    const [a, b] = kind === "cross" ? [r, r] : [1.4 * r, 0];
    line(context, x - a, y - b, x + a, y + b);
    line(context, x - b, y + a, x + b, y - a);
    context.lineWidth = 2;
    context.stroke();
    return;
  }
  context.fill();
}

/**
 * Draw a line through points; NaN leaves a gap.
 * @param {CanvasRenderingContext2D} context
 * @param {ArrayLike<number>} xs
 * @param {ArrayLike<number>} ys
 * @param {number[]} dash
 * @param {number} width
 */
export function drawLine(context, xs, ys, dash, width) {
  context.lineWidth = width;
  context.setLineDash(dash);
  context.beginPath();
  let drawing = false;
  for (let k = 0; k < xs.length; k++) {
    const there = Number.isFinite(xs[k]) && Number.isFinite(ys[k]);
    if (there && drawing) context.lineTo(xs[k], ys[k]);
    else if (there) context.moveTo(xs[k], ys[k]);
    drawing = there;
  }
  context.stroke();
  context.setLineDash([]);
}
