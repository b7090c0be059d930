"""The settings on the theatre's controls: read, checked one by one, compared with a run's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from course.labs.faults import InvalidSetting

if TYPE_CHECKING:
    from course.training import Settings, Training

LABELS = {
    "learning_rate": "Learning rate",
    "dropout": "Dropout",
    "warmup": "Warm-up updates",
    "steps": "Updates",
    "nhead": "Heads",
    "num_layers": "Layers",
    "d_model": "d_model",
    "positions": "Positions",
    "seed": "Seed",
}
BRANCHES = ("learning_rate", "dropout")  # what a branch can change; the rest needs a new start


def label(name: str) -> str:
    """A setting's name as the learner reads it."""
    return LABELS.get(name, name.replace("_", " ").capitalize())


def value_of(settings: Settings, name: str) -> Any:
    """A setting's value, one of `more` included."""
    return settings.more[name] if name in settings.more else getattr(settings, name)


def difference(now: Settings, then: Settings) -> dict[str, tuple[Any, Any]]:
    """What differs, by name: its value now and then."""
    pairs = {name: (value_of(now, name), value_of(then, name)) for name in (*LABELS, *numbers(now))}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def numbers(settings: Settings) -> list[str]:
    """The numbers that only this training has."""
    return [
        name
        for name, value in settings.more.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]


def read(name: str, value: Any, before: Any) -> Any:
    """A value from a control, of the type that the setting has.

    Raises:
        InvalidSetting: it cannot be read.
    """
    if isinstance(before, str):
        if isinstance(value, str):
            return value
        raise InvalidSetting(f"{label(name)} must be a word.")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InvalidSetting(f"{label(name)} must be a number.")
    if isinstance(before, int) and value != int(value):
        raise InvalidSetting(f"{label(name)} must be a whole number, not {value:g}.")
    return int(value) if isinstance(before, int) else float(value)


class Draft:
    """What the controls say: settings that are valid, and what was typed that is not.

    Attributes:
        settings: valid ones; a control whose value is refused keeps its last valid one here.
        refused: the values that were refused, as typed.
        why: what is wrong with each, in a sentence.
    """

    def __init__(self, training: Training, settings: Settings) -> None:
        self._training, self.settings = training, settings
        self.refused: dict[str, Any] = {}
        self.why: dict[str, str] = {}

    @property
    def names(self) -> list[str]:
        """The settings that have a control."""
        return [*LABELS, *numbers(self._training.settings)]

    def values(self) -> dict[str, Any]:
        """The controls' values: what was typed, even where it is refused."""
        return {**{name: value_of(self.settings, name) for name in self.names}, **self.refused}

    def take(self, changes: Mapping[str, Any]) -> None:
        """Take in what was typed, and what was refused before: it may fit by now."""
        wanted = {**self.refused, **changes}
        self.refused, self.why = {}, {}
        readable = {}
        for name, value in wanted.items():
            try:
                readable[name] = read(name, value, value_of(self.settings, name))
            except InvalidSetting as error:
                self._refuse(name, value, str(error))
        together = self.settings.changed(**readable)
        if not self._training.check(together):
            self.settings = together
            return
        for name, value in readable.items():
            alone = self.settings.changed(**{name: value})
            wrong = self._training.check(alone)
            if wrong:
                self._refuse(name, wanted[name], wrong.get(name) or next(iter(wrong.values())))
            else:
                self.settings = alone

    def _refuse(self, name: str, value: Any, why: str) -> None:
        self.why[name] = why
        if value is None or isinstance(value, (int, float, str)):
            self.refused[name] = value if isinstance(value, str) or _is_json(value) else None


def _is_json(value: float | None) -> bool:
    return value is None or math.isfinite(value)
