/**
 * A question, and the answer that follows each key press. Python searches; here stands what is seen.
 *
 * The model holds `question`, `answer` (HTML of the course's own) and `answered`, the number of the
 * question that the answer is to. It is told `{type: "ask", number, question}`, and `{type: "still"}` once the learner
 * pauses.
 */

const BUSY_AFTER_MS = 1000;
const PAUSE_MS = 1500; // after which the answer that a saved notebook keeps is renewed
const BUSY = "Python is busy. Your question is answered as soon as it is free. If the kernel was restarted, run this cell again.";
const LOST = "The kernel behind this box has stopped or was restarted. Run this cell again (and those above that it needs).";

/**
 * Show the box in a cell's output; anywidget calls what this returns when the output goes.
 * @param {{ model: Box.Model, el: HTMLElement }} view
 */
function render({ model, el }) {
  let number = model.get("answered");
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const input = document.createElement("input");
  Object.assign(input, { type: "text", value: model.get("question"), placeholder: "Ask Python's documentation something" });
  const label = document.createElement("label");
  label.append("Question ", input);
  const answer = document.createElement("div");
  answer.setAttribute("role", "status");
  const notice = document.createElement("p");
  notice.className = "course-box-notice";
  notice.setAttribute("role", "alert");
  const root = document.createElement("section");
  root.className = "course-box course-live";
  root.setAttribute("aria-label", "Search");
  root.append(label, notice, answer);

  /** @param {string} words */
  const tell = (words) => {
    clearTimeout(timer);
    notice.textContent = words;
    notice.hidden = !words;
  };
  /** @param {Box.Sent} message */
  const send = (message) => {
    try {
      model.send(message); // throws where the kernel is gone
    } catch {
      tell(LOST);
      return false;
    }
    return true;
  };
  const ask = () => {
    number = Math.max(number + 1, Date.now()); // a larger one than another view of the box has sent
    if (!send({ type: "ask", number, question: input.value })) return;
    clearTimeout(timer);
    timer = setTimeout(() => tell(BUSY), BUSY_AFTER_MS);
  };
  const show = () => {
    answer.innerHTML = model.get("answer");
    if (model.get("answered") < number) return;
    tell("");
    if (number) timer = setTimeout(() => send({ type: "still" }), PAUSE_MS);
  };
  const onKernel = () => { // it went, or is there again
    if (send({ type: "there" })) tell("");
  };

  input.addEventListener("input", ask);
  model.on("change:answered", show);
  model.on("comm_live_update", onKernel);
  show();
  tell("");
  el.append(root);
  return () => {
    clearTimeout(timer);
    model.off("change:answered", show);
    model.off("comm_live_update", onKernel);
    root.remove();
  };
}

export default { render };
