/** The types of what Python sends (course/quiz/widget.py). Read by the type checker alone. */
declare namespace Quizzes {
  interface Option {
    html: string;
    /** What a screen reader says: the text without markup. */
    spoken: string;
    mark: "right" | "wrong" | "chosen" | null;
  }

  interface State {
    kind: "quiz" | "predict" | "show";
    asks: string;
    options: Option[];
    /** The place of the option that was chosen last. */
    chosen: number | null;
    /** How often was answered: each answer makes another state. */
    tries: number;
    says: string;
    right: boolean;
  }

  interface Sent {
    type: "choose" | "there";
    place?: number;
  }

  interface Model {
    get(name: "state"): State;
    /** Throws where the kernel is gone. */
    send(content: Sent): void;
    on(event: "change:state" | "comm_live_update", changed: () => void): void;
    off(event: "change:state" | "comm_live_update", changed: () => void): void;
  }
}
