"""The position lab as a widget: settings in, drawings out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from course.labs.drawing import Drawing
from course.labs.own_functions import OwnFunctionsLab
from course.labs.position.challenges import TASKS
from course.labs.position.compute import BASES, Positions, Selection, Settings, compute
from course.labs.position.form import form
from course.labs.position.view import panels, still, summary


class PositionLab(OwnFunctionsLab):
    """See how positions are told apart: a table that is added, or a turn of queries and keys.

    Args:
        rotary: your own, `(x, positions, base) -> turned x`, in place of the reference.
        sinusoidal: your own, `(length, d_model) -> table`. Its base is 10,000: where another one is
            set, the reference computes.
        **settings: how the lab starts; any of `kind` (`"none"`, `"sinusoidal"`, `"learned"`,
            `"rotary"`), `d_model`, `base`, `length`, and of `position`, `other`, `column`.

    Raises:
        ValueError: a setting cannot be; the text says why.
        TypeError: there is no such setting, or a function cannot be called.

    >>> PositionLab(kind="rotary", length=32)
    PositionLab(kind='rotary', length=32)
    """

    tasks = TASKS

    def __init__(
        self,
        rotary: Callable[..., Any] | None = None,
        sinusoidal: Callable[..., Any] | None = None,
        **settings: Any,
    ) -> None:
        own = {"rotary": rotary, "sinusoidal": sinusoidal}
        super().__init__(own, Settings(), Selection(), settings)

    def compute(self, asked: Settings, own: bool) -> Positions:
        """Make the table and compare its rows."""
        return compute(asked, self.functions(own))

    def fit(self, result: Positions, chosen: Selection) -> Selection:
        """The nearest positions and column that there are."""
        length, width = result.table.shape
        return Selection(
            position=min(max(chosen.position, 0), length - 1),
            other=min(max(chosen.other, 0), length - 1),
            column=min(max(chosen.column, 0), width - 1),
        )

    def form(self) -> dict[str, Any]:
        """The controls and panels."""
        return form()

    def drawing(self) -> Drawing:
        """What should be seen now."""
        made, asked = self.shown(), self._made_from[0]
        nearest = min(range(len(BASES)), key=lambda i: abs(BASES[i] - self._asked.base))
        told = [summary(asked, made, self._chosen), self.whose()]
        return Drawing(
            values={**self.settings, "step": nearest},
            panels=panels(asked, made, self._chosen, self._number),
            summary=" ".join(filter(None, told)),
            notice=self._notice,
        )

    def still(self) -> dict[str, str]:
        """A picture, and words, for places without a front end."""
        made, asked = self.shown(), self._made_from[0]
        told = summary(asked, made, self._chosen)
        words = [repr(self), told, self.whose(), self._notice]
        return {
            "text/plain": "\n".join(filter(None, words)),
            "image/svg+xml": still(asked, made, self._chosen, told),
        }

    # What the slider of bases and a point of the plot do

    def _take_step(self, step: Any) -> None:
        if isinstance(step, int):
            base = BASES[min(max(step, 0), len(BASES) - 1)]
            self._asked = replace(self._asked, base=base)

    def _take_distance(self, apart: Any) -> None:
        if isinstance(apart, int):
            after = self._chosen.position + apart
            before = max(self._chosen.position - apart, 0)
            other = after if after < self._asked.length else before
            self._chosen = replace(self._chosen, other=other)

    def _take_pair(self, number: Any) -> None:
        pairs = self.shown().pairs
        if isinstance(number, int) and 0 <= number < len(pairs):
            self._chosen = replace(self._chosen, column=2 * pairs[number])

    actions: ClassVar[Mapping[str, Callable[[Any, Any], None]]] = {
        "step": _take_step,
        "distance": _take_distance,
        "pair": _take_pair,
    }
