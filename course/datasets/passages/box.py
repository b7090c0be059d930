"""A text box that answers as one types. Plain ipywidgets that 7.7 and 8 both have."""

from __future__ import annotations

from typing import Any

from course.datasets.passages.index import BestMatch, Found, Index
from course.system.outputs import LIVE, Shown
from course.system.threads import one_thread

EXAMPLE = "How do I find the three largest numbers of a list?"


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
        self._answer: Any = None
        super().__init__()

    def ask(self, question: str) -> Found | None:
        """Answer a question, as typing it does; None, and nothing changes, where it is empty."""
        self.question = question
        if not question.strip():
            return None
        with one_thread():
            found = self.index.search(question, best_match=self.best_match)
        if self._answer is not None:
            self._answer.value = _spoken(found._repr_html_())
        return found

    def __repr__(self) -> str:
        return _in_words(self._found())

    def _found(self) -> Found:
        return self.index.search(self.question or EXAMPLE, best_match=self.best_match)

    def _still(self) -> dict[str, str]:
        found = self._found()
        return {"text/plain": _in_words(found), "text/html": found._repr_html_()}

    def _build(self) -> Any:
        import ipywidgets as widgets

        text = widgets.Text(
            value=self.question,
            description="Question",
            placeholder="Ask Python's documentation something",
            layout=widgets.Layout(width="98%", max_width="52em"),
        )
        self._answer = widgets.HTML(_spoken(""))
        box = widgets.VBox([text, self._answer])
        box.add_class(LIVE)
        text.observe(lambda change: self.ask(change["new"]), "value")
        self.ask(self.question)
        return box


def _in_words(found: Found) -> str:
    return f"{found!r}\n\n(Run this cell in Jupyter to type questions of your own.)"


def _spoken(answer: str) -> str:
    """The answer, announced by screen readers when it changes."""
    return f'<div role="status" aria-live="polite">{answer}</div>'
