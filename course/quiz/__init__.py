"""quiz(), predict() and explain(): questions in a chapter, answered by a click or a key.

    quiz("attention.softmax-shift")        ask; every answer, right or wrong, is explained
    predict("attention.other-pronoun")     ask before the code runs; the answer is kept, not judged
    explain("attention.other-pronoun")     after the code: what came, and why

Without a front end each is a text that is the same on every run; that of a question doesn't give the
answer away. Answers are counted in `<home>/quiz.json`, and what was chosen there is chosen again when
the notebook is opened again; what cannot be written there is not counted, and nothing stops.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from course import learner
from course.learner import catalogue, notes
from course.quiz.formulas import in_words, with_formulas
from course.quiz.question import Question
from course.quiz.widget import Choice, QuizWidget, State
from course.system import files
from course.system.outputs import Shown

__all__ = ["Asked", "Explained", "answers", "explain", "predict", "quiz"]

_predicted: dict[str, int] = {}  # this kernel's predictions: question id -> place of the option
_MARKS = {"right": "right", "wrong": "not this", "chosen": "chosen"}
_NO_PREDICTION = "You have made no prediction above yet. Make one and run this cell again"
_WAITING = "Choose with a click, with its letter or number, or with the arrow keys and Enter."


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
    counts: dict[str, dict[str, int]] = _read()["questions"]
    return counts


class Asked(Shown):
    """A question in a notebook; `choose(place)` is what a click does, and gives what is then said."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question
        self._tried: list[int] = []  # places, the last one last

    def choose(self, place: int) -> str:
        """Answer with the option at that place (from 0); the HTML that is shown."""
        self._tried.append(place)
        if self.question.kind == "predict":
            _predicted[self.question.id] = place
        _note(self.question, place, counted=self.question.kind == "quiz")
        if self._widget is not None:
            self._widget.show(self._state())
            self._output.renew()
        return self._said(place)

    def _said(self, place: int) -> str:
        option = self.question.options[place]
        if self.question.kind == "predict":
            return f"Noted: {letter(place)}. Now run the next cells and see. (You may still change your mind.)"
        verdict = "Right." if option.right else "Not quite."
        return f"<b>{letter(place)}. {verdict}</b> {option.why}"

    def _state(self) -> State:
        chosen = self._tried[-1] if self._tried else None
        right = chosen is not None and self.question.options[chosen].right
        return State(
            kind=self.question.kind,
            asks=with_formulas(self.question.asks),
            options=[
                Choice(with_formulas(option.text), plain(option.text), self._mark(place))
                for place, option in enumerate(self.question.options)
            ],
            says=_WAITING if chosen is None else with_formulas(self._said(chosen)),
            chosen=chosen,
            tries=len(self._tried),
            right=right and self.question.kind == "quiz",
        )

    def _mark(self, place: int) -> str | None:
        if self.question.kind == "predict":
            return "chosen" if self._tried[-1:] == [place] else None
        if place not in self._tried:
            return None
        return "right" if self.question.options[place].right else "wrong"

    def _build(self) -> QuizWidget:
        """The widget; what was chosen in an earlier sitting is chosen again, and not counted."""
        earlier = _kept(self.question)
        if earlier is not None and not self._tried:
            self._tried.append(earlier)
            if self.question.kind == "predict":
                _predicted.setdefault(self.question.id, earlier)
        return QuizWidget(self._state(), self.choose)

    def __repr__(self) -> str:
        lines = [plain(self.question.asks)]
        lines += [
            f"  {letter(i)}  {plain(option.text)}" for i, option in enumerate(self.question.options)
        ]
        return "\n".join([*lines, "(Run this cell in Jupyter to answer.)"])

    def _still(self) -> dict[str, str]:
        state = self._state()
        options = "".join(
            f"<div><b>{letter(place)}</b>&ensp;{option.html}"
            f"{f' <b>({_MARKS[option.mark]})</b>' if option.mark else ''}</div>"
            for place, option in enumerate(state.options)
        )
        says = "" if state.chosen is None else f"<p>{state.says}</p>"
        page = f"<p><b>{state.asks}</b></p>{options}{says}"
        return {"text/plain": repr(self), "text/html": page}


class Explained(Shown):
    """What came of a prediction; where none was made, one is asked for before the answer is shown."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question
        self._asked = False  # to be shown the answer without a prediction

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

    def _still(self) -> dict[str, str]:
        place = self._place()
        if place is None and not self._asked:  # a page that is read again must not give it away
            says = f"{_NO_PREDICTION}."
        else:
            says = with_formulas(self.said(place))
        return {"text/plain": repr(self), "text/html": f"<p>{says}</p>"}

    def _build(self) -> QuizWidget:
        place = self._place()
        if place is not None:
            _note(self.question, place, counted=True)
            return QuizWidget(self._answer(place), self._show)
        show = [Choice("Show the answer", "Show the answer")]
        return QuizWidget(State("show", f"{_NO_PREDICTION}, or:", show, ""), self._show)

    def _place(self) -> int | None:
        return _predicted.get(self.question.id, _kept(self.question))

    def _show(self, _: int) -> None:
        """Show the answer; the only button asks for it."""
        self._asked = True
        self._widget.show(self._answer(self._place()))
        self._output.renew()

    def _answer(self, place: int | None) -> State:
        right = place == self.question.right
        return State("show", "", [], with_formulas(self.said(place)), right=right)


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
    text = re.sub(r"</?(b|i|code|sub|sup)>", "", in_words(text))  # within a line
    return " ".join(html.unescape(re.sub(r"</?[a-z][^<>]*>", " ", text)).split())


def _of_kind(question_id: str, kind: str) -> Question:
    question: Question = catalogue.question(question_id)
    if question.kind != kind:
        other = "predict(...) and explain(...)" if question.kind == "predict" else "quiz(...)"
        raise ValueError(f"{question_id!r} is asked with {other}")
    return question


def _note(question: Question, place: int, *, counted: bool) -> None:
    """Note which option was chosen, and count it as an answer.

    The option is noted by its text: places change when an option is added. It is a help to the learner, so
    no trouble with it may stop anything.
    """
    option = question.options[place]
    try:
        with files.locked(learner.home()):
            kept = _as_known(notes.read(_path()))
            kept["chosen"][question.id] = plain(option.text)
            if counted:
                entry = kept["questions"].setdefault(question.id, {"tries": 0, "right": 0})
                entry["tries"] += 1
                entry["right"] += option.right
            notes.write(_path(), kept)
    except OSError:
        pass


def _kept(question: Question) -> int | None:
    """The place of the option that was chosen last, in this sitting or an earlier one."""
    chosen = _read()["chosen"].get(question.id)
    texts = [plain(option.text) for option in question.options]
    return texts.index(chosen) if chosen in texts else None


def _path() -> Path:
    return learner.home() / "quiz.json"


def _read() -> dict[str, Any]:
    """What `quiz.json` holds; nothing, where it can't be read at this moment."""
    return _as_known(notes.readable(_path()))


def _as_known(kept: dict[str, Any]) -> dict[str, Any]:
    """The notes in the form that this course knows; what is damaged in them is left out."""
    return {"schema": 1, "questions": _counts(kept), "chosen": _texts(kept)}


def _counts(kept: Any) -> dict[str, dict[str, int]]:
    try:
        return {
            str(k): {"tries": int(v["tries"]), "right": int(v["right"])}
            for k, v in kept["questions"].items()
        }
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}


def _texts(kept: Any) -> dict[str, str]:
    chosen = kept.get("chosen") if isinstance(kept, dict) else None
    if isinstance(chosen, dict) and all(isinstance(text, str) for text in chosen.values()):
        return chosen
    return {}
