"""hint(): four steps towards an answer, one at a time, counted."""

from __future__ import annotations

from dataclasses import dataclass

from course import learner
from course.learner import catalogue
from course.system.markup import escape

STEPS = ("the idea", "the shapes", "in pseudo-code", "the decisive line")


@dataclass
class Hint:
    """One step; its text stands by itself."""

    exercise: str
    step: int
    text: str

    def __repr__(self) -> str:
        more = f"hint({self.exercise!r}) again for the next" if self._more else self._last
        more = f" ({more})"
        return f"Hint {self.step} of {len(STEPS)}, {STEPS[self.step - 1]}: {self.text}{more}"

    def _repr_html_(self) -> str:
        body = (
            f"<pre>{escape(self.text)}</pre>"
            if self.step > 2 or "\n" in self.text
            else f"<p>{escape(self.text)}</p>"
        )
        more = "Run the cell again for the next hint." if self._more else f"{self._last}."
        return (
            f"<p><strong>Hint {self.step} of {len(STEPS)}: {STEPS[self.step - 1]}</strong></p>{body}"
            f"<p><em>{escape(more)}</em></p>"
        )

    @property
    def _more(self) -> bool:
        return self.step < len(STEPS)

    @property
    def _last(self) -> str:
        """What is left after the last hint."""
        call = f"compare({self.exercise!r})"
        return f"That was the last hint; {call} shows the model solution, beside your answer if it has passed"


def hint(exercise_id: str, step: int | None = None) -> Hint:
    """The next hint of an exercise, or the one of that step (1 to 4).

    Each new hint is counted in the learner's progress; after the last the last is shown again.
    ValueError for a step outside 1 to 4; KeyError when there is no such exercise.
    """
    exercise = catalogue.exercise(exercise_id)
    if step is not None and step not in range(1, len(STEPS) + 1):
        raise ValueError(
            f"an exercise has {len(STEPS)} hints; step must be 1 to {len(STEPS)}, and was {step!r}"
        )
    shown = learner.hints_shown(exercise_id)
    wanted = min(shown + 1, len(STEPS)) if step is None else step
    while shown < wanted:
        shown = learner.count_hint(exercise_id)
    return Hint(exercise_id, wanted, exercise.hints[wanted - 1])
