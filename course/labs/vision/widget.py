"""The vision lab as a widget: settings in, drawings out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from torch import Tensor, nn

from course.labs.drawing import Drawing
from course.labs.faults import UnreadableSetting
from course.labs.settings_lab import SettingsLab
from course.labs.vision.challenges import TASKS
from course.labs.vision.compute import (
    CELLS,
    DARKEST,
    MOST_SEEDS,
    TOOLS,
    TRAINED,
    Prepare,
    Reader,
    Result,
    Selection,
    Settings,
)
from course.labs.vision.form import form
from course.labs.vision.still import still
from course.labs.vision.view import panels, summary

NAMES = tuple(map(str, range(10)))


class VisionLab(SettingsLab):
    """Draw a digit, and watch a Vision Transformer read it: its patches, its attention, its answer.

    Args:
        model: a `VisionTransformer` for images of 8 x 8 pixels, with one logit for each name; any
            module does that has its `patch`, `expected` and `positions` and its attention.
        images: `(N, 8, 8)`, examples to begin with, from 0 (paper) to 1 (ink).
        labels: the class of each, where it is known.
        prepare: `(B, 1, 8, 8)` pixels from 0 to 1 to what the model takes; as they are by default.
        names: what the classes are called.
        **settings: how the lab starts; any of `example`, `pixels` (64 levels from 0 to 16), `occluded`
            (patches), `shuffled`, `seed`, `positions` ("trained", "moved", "off"), and of `patch`,
            `query`, `layer`, `head` (-1: class token, or mean), `tool` (0 brush, 1 pen, 2 eraser) and
            `level` (its ink).

    Raises:
        ValueError: the model, the images or a setting are invalid; the text says why.
        TypeError: there is no such setting.
    """

    tasks = TASKS

    def __init__(
        self,
        model: nn.Module,
        images: Tensor,
        labels: Sequence[int] | Tensor | None = None,
        prepare: Prepare | None = None,
        *,
        names: Sequence[str] = NAMES,
        **settings: Any,
    ) -> None:
        self.reader = Reader(model, images, labels, prepare)
        self._names = tuple(names)
        if len(self._names) != self.reader.classes:
            raise ValueError(
                f"The model has {self.reader.classes} logits, and there are {len(self._names)} names; "
                "name each class."
            )
        self.begin(Settings(), Selection(), settings)
        super().__init__()

    def name(self, number: int) -> str:
        """What a class is called."""
        return self._names[number]

    def compute(self, asked: Settings, own: bool) -> Result:
        """Read the drawing."""
        return self.reader.read(asked)

    def fit(self, result: Result, chosen: Selection) -> Selection:
        """The nearest of all that can be chosen."""

        def within(at: int, count: int, least: int = 0) -> int:
            return min(max(at, least), count - 1)

        return Selection(
            within(chosen.patch, self.reader.count),
            within(chosen.query, self.reader.count, -1),
            within(chosen.layer, self.reader.layers, -1),
            within(chosen.head, self.reader.heads, -1),
            within(chosen.tool, TOOLS),
            within(chosen.level, DARKEST + 1, 1),
        )

    def read(self, name: str, value: Any) -> Any:
        """Read a setting; levels and patches may come as any sequence of whole numbers."""
        if name == "pixels" and value is not None:
            return _whole(value, f"A drawing must be {CELLS} levels from 0 to {DARKEST}.")
        if name == "occluded":
            found = _whole(value, "The occluded patches must be a list of their numbers.")
            return tuple(sorted(set(found)))
        if name == "shuffled":
            return bool(value)
        return value

    def write(self, value: Any) -> str:
        """A drawing is too long for `repr`."""
        return "..." if isinstance(value, tuple) and len(value) == CELLS else repr(value)

    def form(self) -> dict[str, Any]:
        """The controls and panels."""
        return form(self.reader)

    def drawing(self) -> Drawing:
        """What should be seen now."""
        result, asked = self.shown(), self._made_from[0]
        return Drawing(
            values={
                **self.settings,
                "pixels": self.reader.drawn(self._asked).tolist(),
                "occluded": list(self._asked.occluded),
                "any_occluded": bool(self._asked.occluded),
                "rearranged": self._asked.shuffled or self._asked.positions != TRAINED,
            },
            panels=panels(result, asked, self._chosen, self.reader, self._names, self._number),
            summary=summary(result, asked, self._chosen, self.reader, self._names),
            notice=self._notice,
        )

    def still(self) -> dict[str, str]:
        """A picture, and words, for places without a front end."""
        result, asked = self.shown(), self._made_from[0]
        told = summary(result, asked, self._chosen, self.reader, self._names)
        return {
            "text/plain": "\n".join(filter(None, [repr(self), told, self._notice])),
            "image/svg+xml": still(result, asked, self._chosen, self.reader, self._names, told),
        }

    # What is moved together, and what the buttons do

    def apply(self, changes: Mapping[str, Any]) -> None:
        """Take in what was moved; another example takes the drawing's place."""
        number = changes.get("example")
        there = type(number) is int and 0 <= number < len(self.reader.images)
        if there and "pixels" not in changes:
            changes = {"pixels": None, **changes}
        super().apply(changes)

    def _step(self, by: int) -> None:
        number = (self._made_from[0].example + by) % len(self.reader.images)
        self._asked = replace(self._asked, example=number, pixels=None)

    def _next(self, _: Any) -> None:
        self._step(1)

    def _previous(self, _: Any) -> None:
        self._step(-1)

    def _clear(self, _: Any) -> None:
        self._asked = replace(self._asked, pixels=(0,) * CELLS)

    def _shuffle(self, _: Any) -> None:
        """Shuffle; again, with the next seed."""
        seed = (self._asked.seed + self._asked.shuffled) % (MOST_SEEDS + 1)
        self._asked = replace(self._asked, shuffled=True, seed=seed)

    def _put_back(self, _: Any) -> None:
        self._asked = replace(self._asked, shuffled=False)

    def _uncover(self, _: Any) -> None:
        self._asked = replace(self._asked, occluded=())

    actions: ClassVar[Mapping[str, Callable[[Any, Any], None]]] = {
        "next": _next,
        "previous": _previous,
        "clear": _clear,
        "shuffle": _shuffle,
        "restore": _put_back,
        "uncover": _uncover,
    }


def _whole(values: Any, told: str) -> tuple[int, ...]:
    """Whole numbers as a tuple.

    Raises:
        UnreadableSetting: they are none; `told` says so.
    """
    try:
        found = tuple(int(value) for value in values)
        if all(number == value for number, value in zip(found, values, strict=True)):
            return found
    except (TypeError, ValueError):
        pass
    raise UnreadableSetting(told)
