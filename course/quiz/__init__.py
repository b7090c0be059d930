"""quiz(), predict() and explain(): questions in a chapter, answered by a click or a key.

    quiz("attention.softmax-shift")        ask; every answer, right or wrong, is explained
    predict("attention.other-pronoun")     ask before the code runs; the answer is kept, not judged
    explain("attention.other-pronoun")     after the code: what came, and why

Plain ipywidgets that 7.7 (Colab's) and 8 both have. Without a front end each is a text that is the
same on every run; that of a question doesn't give the answer away. Answers are counted in
`<home>/quiz.json`; what cannot be written there is not counted, and nothing stops.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any

from course import learner
from course.learner import catalogue
from course.quiz.question import Question
from course.system import files

__all__ = ["Asked", "Explained", "answers", "explain", "predict", "quiz"]

_predicted: dict[str, int] = {}  # this kernel's predictions: question id -> place of the option
_WAITING = "Choose with a click, or with Tab and Enter."


def quiz(question_id: str) -> Asked:
    """Ask a question; each answer is explained, and another may be tried.

    KeyError names the nearest questions when there is none of that id, ValueError tells when it is
    a prediction.
    """
    return Asked(_of_kind(question_id, "quiz"))


def predict(question_id: str) -> Asked:
    """Ask what the code that follows will show; `explain(question_id)` judges it afterwards."""
    return Asked(_of_kind(question_id, "predict"))


def explain(question_id: str) -> Explained:
    """Say what came of a prediction, and explain the option that was chosen."""
    return Explained(_of_kind(question_id, "predict"))


def answers() -> dict[str, dict[str, int]]:
    """What has been answered so far: for each question id the "tries" and how many were "right"."""
    try:
        kept = json.loads((learner.home() / "quiz.json").read_text(encoding="utf-8"))["questions"]
        return {
            str(k): {"tries": int(v["tries"]), "right": int(v["right"])} for k, v in kept.items()
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}


class Asked:
    """A question in a notebook; `choose(place)` is what a click does, and gives what is then said."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self._widget: Any = None
        self._feedback: Any = None

    def choose(self, place: int) -> str:
        """Answer with the option at that place (from 0); the HTML that is shown."""
        option = self.question.options[place]
        if self.question.kind == "predict":
            _predicted[self.question.id] = place
            said = f"Noted: {letter(place)}. Now run the next cells and see. (You may still change your mind.)"
        else:
            verdict = "Right." if option.right else "Not quite."
            said = f"<b>{letter(place)}. {verdict}</b> {option.why}"
            _count(self.question.id, option.right)
        if self._feedback is not None:
            self._feedback.value = _status(said, option.right and self.question.kind == "quiz")
        return said

    def __repr__(self) -> str:
        lines = [plain(self.question.asks)]
        lines += [
            f"  {letter(i)}  {plain(option.text)}" for i, option in enumerate(self.question.options)
        ]
        return "\n".join([*lines, "(Run this cell in Jupyter to answer.)"])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        if self._widget is None:
            self._widget, self._feedback = _ask(self.question, self.choose)
        return _bundle(self._widget, repr(self))


class Explained:
    """What came of a prediction; where none was made, one is asked for before the answer is shown."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self._widget: Any = None

    def said(self, place: int | None = None) -> str:
        """The explanation, in HTML, for somebody who chose that option, or none."""
        right = self.question.options[self.question.right]
        answer = f"<b>{letter(self.question.right)}. {right.text}</b> {right.why}"
        if place is None:
            return answer
        if place == self.question.right:
            return f"You predicted {letter(place)}, and so it is. {answer}"
        chosen = self.question.options[place]
        return f"You predicted {letter(place)}. {chosen.why}<br>What came is {answer}"

    def __repr__(self) -> str:
        return plain(self.said())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        if self._widget is None:
            self._widget = self._build()
        return _bundle(self._widget, repr(self))

    def _build(self) -> Any:
        import ipywidgets as widgets

        place = _predicted.get(self.question.id)
        if place is not None:
            _count(self.question.id, place == self.question.right)
            return widgets.HTMLMath(_status(self.said(place), place == self.question.right))
        note = widgets.HTMLMath(
            _status("You have made no prediction above yet. Make one and run this cell again, or:")
        )
        button = widgets.Button(description="Show the answer")

        def show(_: Any) -> None:
            note.value = _status(self.said(_predicted.get(self.question.id)))
            button.layout.display = "none"

        button.on_click(show)
        return widgets.VBox([note, button])


def letter(place: int) -> str:
    """A, B, C, ... for the places 0, 1, 2, ...

    >>> letter(2)
    'C'
    """
    return chr(ord("A") + place)


def plain(text: str) -> str:
    r"""HTML as plain text, on one line.

    >>> plain("<b>a</b> &lt; <i>b</i>")
    'a < b'
    """
    text = re.sub(r"</?(b|i|code|sub|sup)>", "", text)  # within a line
    return " ".join(html.unescape(re.sub(r"</?[a-z][^<>]*>", " ", text)).split())


def _ask(question: Question, choose: Callable[[int], str]) -> tuple[Any, Any]:
    """The widget of a question and the part of it that shows what is said."""
    import ipywidgets as widgets

    rows: list[Any] = [widgets.HTMLMath(f"<b>{question.asks}</b>")]
    for place, option in enumerate(question.options):
        button = widgets.Button(
            description=letter(place),
            tooltip=f"Answer {letter(place)}: {plain(option.text)}",
            layout=widgets.Layout(width="3em", min_width="3em"),
        )
        button.on_click(lambda _, place=place: choose(place))
        rows.append(
            widgets.HBox(
                [button, widgets.HTMLMath(option.text)],
                layout=widgets.Layout(align_items="baseline"),
            )
        )
    feedback = widgets.HTMLMath(_status(_WAITING))
    box = widgets.VBox(
        [*rows, feedback],
        layout=widgets.Layout(border="1px solid #9aa5b1", padding="0.4em 0.8em", max_width="52em"),
    )
    return box, feedback


def _status(said: str, right: bool = False) -> str:
    """What is said, announced by screen readers; a sign and a word carry it, colour only helps."""
    colour = "#009e73" if right else "#0072b2"
    style = f"border-left: 4px solid {colour}; padding-left: 0.6em; line-height: 1.45; white-space: normal"
    return f'<div role="status" aria-live="polite" style="{style}">{said}</div>'


def _bundle(widget: Any, text: str) -> dict[str, Any]:
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {"text/plain": text, "application/vnd.jupyter.widget-view+json": view}


def _of_kind(question_id: str, kind: str) -> Question:
    question: Question = catalogue.question(question_id)
    if question.kind != kind:
        other = "predict(...) and explain(...)" if question.kind == "predict" else "quiz(...)"
        raise ValueError(f"{question_id!r} is asked with {other}")
    return question


def _count(question_id: str, right: bool) -> None:
    """Count an answer. The count is a help to the learner, so no trouble with it may stop anything."""
    folder = learner.home()
    try:
        with files.locked(folder):
            kept = answers()
            entry = kept.setdefault(question_id, {"tries": 0, "right": 0})
            entry["tries"] += 1
            entry["right"] += right
            text = json.dumps({"schema": 1, "questions": kept}, indent=1, sort_keys=True)
            files.write(folder / "quiz.json", text + "\n")
    except OSError:
        pass
