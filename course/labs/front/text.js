/** Numbers and sentences as a person reads them. Nothing here touches the page. */

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/**
 * The first characters of a text, as Python counts them; all of it without a limit.
 * @param {string} text
 * @param {number} [longest]
 */
export function firstOf(text, longest) {
  return longest === undefined || text.length <= longest ? text : [...text].slice(0, longest).join("");
}

/**
 * Compare two JSON values.
 * @param {unknown} a
 * @param {unknown} b
 */
export function sameValue(a, b) {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/**
 * Format a number with fixed digits: real signs for minus and infinity, a dash for NaN.
 * @param {number} value
 */
export function formatNumber(value, digits = 2) {
  if (Number.isNaN(value)) return "–";
  if (value === -Infinity) return "−∞";
  if (value === Infinity) return "∞";
  const text = Math.abs(value) >= 10000 ? value.toExponential(1) : value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/**
 * Format a number in at most four significant digits, without a tail of zeros.
 * @param {number} value
 */
export function shortNumber(value) {
  if (!Number.isFinite(value)) return formatNumber(value);
  const size = Math.abs(value);
  const text = size !== 0 && (size >= 1e6 || size < 1e-4) ? String(Number(value.toPrecision(3)).toExponential()) : String(Number(value.toPrecision(4)));
  return text.replaceAll("-", "−").replace("e+", "e");
}

/**
 * Put words into the {places} of a sentence.
 * @param {string} sentence
 * @param {Record<string, string | number>} words
 */
export function fillIn(sentence, words) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => String(words[name]));
}

/**
 * Break a text into lines no wider than `width`, except where one word is.
 * @param {string} text
 * @param {number} width
 * @param {(line: string) => number} measure
 */
export function wrapWords(text, width, measure) {
  let line = "";
  const lines = [];
  for (const word of text.split(/\s+/)) {
    const longer = line ? `${line} ${word}` : word;
    if (line && measure(longer) > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}
