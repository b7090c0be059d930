/** The types of the search box's conversation with Python (course/datasets/passages/box.py). */
declare namespace Box {
  type Sent = { type: "ask"; number: number; question: string } | { type: "still" | "there" };

  /** What anywidget hands to `render`, as far as it is used. */
  interface Model {
    get(name: "question" | "answer"): string;
    get(name: "answered"): number;
    send(content: Sent): void;
    on(event: string, changed: () => void): void;
    off(event: string, changed: () => void): void;
  }
}
