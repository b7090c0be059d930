"""A text box that answers as one types. What is seen stands in front/box.js."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from course.datasets.passages.index import BestMatch, Found, Index
from course.system.outputs import Shown
from course.system.threads import one_thread

EXAMPLE = "How do I find the three largest numbers of a list?"
FRONT = Path(__file__).parent / "front"


class BoxWidget(anywidget.AnyWidget):
    """The box: a question, and the answer to it as HTML.

    Args:
        question: what stands in the box at first.
        answer: makes the answer to a question; None where there is none, and the last one stays.
        pause: is called when the learner has paused.
    """

    _esm = (FRONT / "box.js").read_text("utf-8")
    _css = (FRONT / "box.css").read_text("utf-8")

    question = traitlets.Unicode().tag(sync=True)
    answer = traitlets.Unicode().tag(sync=True)
    answered = traitlets.Int(0).tag(sync=True)  # the number of the question

    def __init__(
        self, question: str, answer: Callable[[str], str | None], pause: Callable[[], None]
    ) -> None:
        self._answer, self._pause = answer, pause
        super().__init__(question=question, answer=answer(question) or "")
        self.on_msg(self._on_message)

    def _on_message(self, _: Any, content: Any, __: Any) -> None:
        if content.get("type") == "still":
            self._pause()
        if content.get("type") != "ask":
            return
        question = str(content.get("question"))
        found = self._answer(question)
        with self.hold_sync():  # one message: the answer before its number
            self.question = question
            if found is not None:
                self.answer = found
            self.answered = int(content.get("number", 0))


class SearchBox(Shown):
    """Type a question and read the passages that come closest; each key press asks anew.

    Without a front end it shows the answer to its first question, the same on every run.

    Args:
        index: what is searched.
        question: what stands in the box at first.
        best_match: see `Index.search`.
    """

    def __init__(
        self, index: Index, question: str = EXAMPLE, best_match: BestMatch | None = None
    ) -> None:
        self.index, self.best_match = index, best_match
        self.question = question
        super().__init__()

    def ask(self, question: str) -> Found | None:
        """Answer a question, as typing it does; None, and nothing changes, where it is empty."""
        self.question = question
        if not question.strip():
            return None
        with one_thread():
            return self.index.search(question, best_match=self.best_match)

    def __repr__(self) -> str:
        return _in_words(self._found())

    def _found(self) -> Found:
        return self.index.search(self.question or EXAMPLE, best_match=self.best_match)

    def _still(self) -> dict[str, str]:
        found = self._found()
        return {"text/plain": _in_words(found), "text/html": found._repr_html_()}

    def _build(self) -> BoxWidget:
        return BoxWidget(self.question, self._answered, self._output.renew)

    def _answered(self, question: str) -> str | None:
        found = self.ask(question)
        return None if found is None else str(found._repr_html_())


def _in_words(found: Found) -> str:
    return f"{found!r}\n\n(Run this cell in Jupyter to type questions of your own.)"
