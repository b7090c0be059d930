/** One PNG of a lab's canvases, with their captions and the summary. */

import { contextOf, make, setFont } from "./dom.js";
import { wrapWords } from "./text.js";

/**
 * Draw canvases below one another on one canvas.
 * @param {{ canvas: HTMLCanvasElement, caption: string }[]} shown
 * @param {string} summary
 * @param {{ ink: string, paper: string, sharpness: number }} look
 */
export function composePicture(shown, summary, { ink, paper, sharpness: ratio }) {
  const width = Math.max(480, ...shown.map(({ canvas }) => canvas.width / ratio)) + 32;
  const picture = make("canvas");
  const context = contextOf(picture);
  const [plain, bold] = ["13px system-ui, sans-serif", "bold 13px system-ui, sans-serif"];
  setFont(context, plain);
  const lines = wrapWords(summary, width - 32, (line) => context.measureText(line).width);
  const heights = shown.map(({ canvas }) => canvas.height / ratio + 34);
  const height = heights.reduce((sum, each) => sum + each, 32) + lines.length * 18 + 24;
  Object.assign(picture, { width: width * ratio, height: height * ratio });
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = paper;
  context.fillRect(0, 0, width, height);
  context.fillStyle = ink;
  let y = 24;
  shown.forEach(({ canvas, caption }, i) => {
    setFont(context, bold);
    context.fillText(caption, 16, y);
    context.drawImage(canvas, 16, y + 8, canvas.width / ratio, canvas.height / ratio);
    y += heights[i];
  });
  setFont(context, plain);
  lines.forEach((line, i) => context.fillText(line, 16, y + 8 + i * 18));
  return picture;
}

/**
 * Let the browser save a canvas as a file.
 * @param {HTMLCanvasElement} canvas
 * @param {string} name
 */
export function saveCanvas(canvas, name) {
  canvas.toBlob((blob) => {
    if (!blob) return;
    const link = make("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
}
