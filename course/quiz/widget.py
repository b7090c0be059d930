"""The live form of a question: a state that the front end shows, and what is chosen there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import anywidget
import traitlets

from course.quiz.front import front_end

__all__ = ["Choice", "QuizWidget", "State"]


@dataclass(frozen=True)
class Choice:
    """One option as it is seen: HTML, the same in words, and "right", "wrong", "chosen" or None."""

    html: str
    spoken: str
    mark: str | None = None


@dataclass(frozen=True)
class State:
    """All that is seen. `kind` is "quiz", "predict", or "show" for a plain button.

    `tries` makes the state after each answer another one: equal states are not sent.
    """

    kind: str
    asks: str
    options: Sequence[Choice]
    says: str
    chosen: int | None = None
    tries: int = 0
    right: bool = False


class QuizWidget(anywidget.AnyWidget):
    """Shows a state; `choose(place)` is called with what the learner chooses, and calls `show`."""

    _esm, _css = front_end()

    state = traitlets.Dict().tag(sync=True)

    def __init__(self, state: State, choose: Callable[[int], object]) -> None:
        self._choose = choose
        super().__init__(state=_as_json(state))
        self.on_msg(self._on_message)

    def show(self, state: State) -> None:
        """Show another state in all views."""
        self.state = _as_json(state)

    def _on_message(self, _: Any, content: Any, __: Any) -> None:
        place = content.get("place")
        if content.get("type") == "choose" and place in range(len(self.state["options"])):
            self._choose(place)


def _as_json(state: State) -> dict[str, Any]:
    return {**asdict(state), "options": [asdict(option) for option in state.options]}
