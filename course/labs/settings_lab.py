"""A lab whose picture follows from `settings` (what is computed) and a `selection` (what is shown).

Both are frozen dataclasses. A change of settings computes a new result, a change of the selection
does not. An invalid setting shows a message at its own control, which keeps what was typed; the last
value that was valid goes on in its place, and all other controls stay live.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, ClassVar

from course.labs.drawing import Drawing
from course.labs.faults import InvalidSetting, OwnFailed, OwnTooSlow, UnreadableSetting, in_time
from course.labs.lab import Lab

KEPT = " The picture stays as it was."
MOST_HEADS, NARROWEST = 16, 4  # heads and d_model of a fresh encoder
LAST_THAT_FITS = "Until then the last value that fits holds."


class SettingsLab(Lab):
    """What such labs share: taking settings in, computing when needed, forgetting, repr.

    A lab of this kind defines `compute`, `fit` and `stand_in`, and calls `begin` once. The learner's
    own function may fail: once it has worked, its last picture stays; before that, something stands
    in for it, and every change of the settings tries it again, unless it was too slow.

    Attributes:
        actions: controls that set nothing, such as buttons, and what each does with a value.
        widest: the largest `d_model`, where it and `heads` are settings that must fit each other.
    """

    actions: ClassVar[Mapping[str, Callable[[Any, Any], None]]] = {}
    widest: ClassVar[int | None] = None
    _made_from: tuple[Any, bool]  # the result's settings, and whether the learner's own made it

    def begin(self, asked: Any, chosen: Any, given: Mapping[str, Any]) -> None:
        """Take the first settings and make the first picture.

        Args:
            asked: the settings' defaults.
            chosen: the selection's defaults.
            given: what the caller set, by name, of either.

        Raises:
            ValueError: a setting is invalid; the text says why.
            TypeError: there is no such setting.
        """
        self._defaults, self._asked, self._chosen = asked, asked, chosen
        self._pointed = [n for n, at in given.items() if at != getattr(chosen, n, at)]
        self._settings = [field.name for field in fields(asked)]
        self._selection = [field.name for field in fields(chosen)]
        self._notice = ""
        self._number = 0  # of the results: grows whenever they change
        self._result: Any = None
        self._own = False  # the learner's own has worked; until then something stands in for it
        self._failure = ""  # why something stands in
        self._too_slow = False  # the learner's own was stopped before it ever worked
        self._refused: dict[str, Any] = {}  # invalid settings as they were typed, by name
        self._why: dict[str, str] = {}  # what is wrong with each
        self._take(given, strict=True)
        self._renew()
        self._notice = self._failure

    # What a lab of this kind is

    def compute(self, asked: Any, own: bool) -> Any:
        """Compute a result; with the learner's own where `own` is true.

        Raises:
            InvalidSetting: a setting is invalid.
            OwnFailed: the learner's own failed.
        """
        raise NotImplementedError

    def fit(self, result: Any, chosen: Any) -> Any:
        """The nearest selection that exists in a result."""
        raise NotImplementedError

    def stand_in(self) -> str:
        """What is seen in place of the learner's own that failed, in a sentence."""
        raise NotImplementedError

    def own_name(self) -> str | None:
        """How `repr` names what the learner gave; None where there is nothing."""
        return None

    def own_called(self) -> str | None:
        """How a sentence names what the learner gave, such as "layer or similarity"."""
        given = self.own_name()
        return given and " or ".join(part.partition("=")[0] for part in given.split(", "))

    def read(self, name: str, value: Any) -> Any:
        """Convert a setting from the front end or a caller to how the settings keep it.

        Raises:
            UnreadableSetting: the value cannot be read.
        """
        return value

    def write(self, value: Any) -> str:
        """Format a setting for `repr`."""
        return repr(value)

    # Settings

    @property
    def settings(self) -> dict[str, Any]:
        """What is set and chosen now, by name."""
        return {
            **{name: getattr(self._asked, name) for name in self._settings},
            **{name: getattr(self._chosen, name) for name in self._selection},
        }

    def set(self, **settings: Any) -> None:
        """Change settings from Python; the names are those of the constructor.

        Raises:
            ValueError: a setting is invalid; nothing is changed then.
            TypeError: there is no such setting.
        """
        before = self._asked, self._chosen
        try:
            self._take(settings, strict=True)
            self._renew()
        except Exception:
            self._asked, self._chosen = before
            raise
        self._notice = self._failure
        self._refused, self._why = {}, {}
        self.redraw()

    def changed(self) -> list[str]:
        """The settings that differ from the defaults, and the selections that the caller gave."""
        names = (name for name in self._settings if name != "text")
        differ = [n for n in names if getattr(self._asked, n) != getattr(self._defaults, n)]
        return [*differ, *self._pointed]

    def apply(self, changes: Mapping[str, Any]) -> None:
        """Take in what was moved in the front end, and what was refused before: it may fit by now."""
        waiting = {name: value for name, value in self._refused.items() if name not in changes}
        wanted = {**waiting, **changes}
        self._refused, self._why = {}, {}
        try:
            if not self._fits(wanted):
                for name, value in wanted.items():
                    self._fits({name: value}, refuse=name)
            self._notice = self._failure
        except OwnFailed as error:
            self._notice = f"{error}{KEPT}"
        if self._why:
            told = [*self._why.values(), LAST_THAT_FITS, self._notice]
            self._notice = " ".join(filter(None, told))

    def _fits(self, changes: Mapping[str, Any], refuse: str | None = None) -> bool:
        """Take these changes in and compute, if they are valid; else leave everything as it was."""
        before = self._asked, self._chosen
        try:
            self._take(changes, strict=False)
            self._renew()
        except InvalidSetting as error:
            self._asked, self._chosen = before
            if refuse is not None:
                self._why[refuse] = str(error)
                if not isinstance(error, UnreadableSetting):
                    self._refused[refuse] = changes[refuse]
            return False
        return True

    def allowed(self) -> dict[str, list[int]]:
        """Whole numbers that a control's steps may lead to, by name; others can be typed."""
        if self.widest is None:
            return {}
        return fitting(self._asked.d_model, self._asked.heads, self.widest)

    def seen(self) -> Drawing:
        """The drawing, with what was typed into a control whose value was refused."""
        drawing = self.drawing()
        values = {**drawing.values, **self._refused}
        return replace(drawing, values=values, refused=dict(self._why), allowed=self.allowed())

    def _take(self, changes: Mapping[str, Any], strict: bool) -> None:
        known = {*self._settings, *self._selection}
        unknown = [name for name in changes if name not in known]
        if unknown and strict:
            raise TypeError(
                f"There is no setting {unknown[0]!r}; there are {', '.join(sorted(known))}."
            )
        for name, value in changes.items():  # one by one, so that what was moved last holds
            if name in self._settings:
                plain = str(value) if isinstance(value, Path) else value
                self._asked = replace(self._asked, **{name: self.read(name, plain)})
            elif name in self.actions:
                self.actions[name](self, value)
            elif name in self._selection and isinstance(value, int):
                self._chosen = replace(self._chosen, **{name: value})

    # Computing

    def _renew(self) -> None:
        """Compute what is asked for, unless it is there already."""
        if self._result is None or not _same(self._asked, self._made_from[0]):
            self._result = self._compute_or_stand_in()
            self._made_from = (self._asked, self._own)
            self._number += 1
        self._chosen = self.fit(self._result, self._chosen)

    def _compute_or_stand_in(self) -> Any:
        """Compute with the learner's own; until it has worked, with what stands in where it fails.

        Raises:
            InvalidSetting: a setting is invalid.
            OwnFailed: the learner's own failed, and has worked before.
        """
        if not self._too_slow:
            try:
                with in_time(self.own_called()):
                    result = self.compute(self._asked, True)
            except OwnFailed as error:
                if self._own:
                    raise
                self._too_slow = isinstance(error, OwnTooSlow)
                self._failure = f"{error} {self.stand_in()}"
            else:
                self._own, self._failure = True, ""
                return result
        return self.compute(self._asked, False)

    def shown(self) -> Any:
        """The result that is seen, computed again where nobody was looking meanwhile."""
        if self._result is None:
            self._result = self.compute(*self._made_from)
            self._number += 1
        self._chosen = self.fit(self._result, self._chosen)
        return self._result

    def pictured(self) -> tuple[Any, Any, Any]:
        """What a task is recognised by: the settings of the picture, what is chosen, and the result."""
        result = self.shown()
        return self._made_from[0], self._chosen, result

    def rest(self) -> None:
        """Let go of the result; `shown` makes it again."""
        self._result = None

    def __repr__(self) -> str:
        own = self.own_name()
        shown = [own] if own else []
        for name in self._settings:
            value = getattr(self._asked, name)
            if value != getattr(self._defaults, name) or name == "text":
                shown.append(f"{name}={self.write(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"


def _same(asked: Any, made_from: Any) -> bool:
    """Whether all settings are equal, and of one type: True equals 1, and is no temperature."""
    pairs = ((getattr(asked, f.name), getattr(made_from, f.name)) for f in fields(asked))
    return all(type(now) is type(before) and now == before for now, before in pairs)


def check_whole(settings: Any, ranges: Mapping[str, tuple[int, int, str]]) -> None:
    """Say in a sentence which whole number is none, or out of its range.

    Args:
        settings: an object with these attributes.
        ranges: by name: the least, the most, and how the learner knows it.

    Raises:
        InvalidSetting: the first that cannot be.

    >>> from types import SimpleNamespace
    >>> check_whole(SimpleNamespace(depth=99), {"depth": (1, 24, "The depth")})
    Traceback (most recent call last):
    course.labs.faults.InvalidSetting: The depth must be a whole number from 1 to 24.
    """
    for name, (least, most, called) in ranges.items():
        value = getattr(settings, name)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InvalidSetting(f"{called} must be a whole number from {least} to {most}.")


def check_heads(d_model: int, heads: int, most: int) -> None:
    """Say in a sentence that a width cannot be cut into so many heads, and which one can.

    Raises:
        InvalidSetting: `d_model` is not divisible by `heads`.

    >>> check_heads(60, 8, most=128)
    Traceback (most recent call last):
    course.labs.faults.InvalidSetting: d_model = 60 is not divisible by 8 heads: ...
    """
    if d_model % heads:
        nearest = min(max(1, round(d_model / heads)), most // heads) * heads
        raise InvalidSetting(
            f"d_model = {d_model} is not divisible by {heads} heads: each head works on an equal "
            f"share of the vector. The nearest d_model that fits is {nearest}."
        )


def fitting(d_model: int, heads: int, widest: int) -> dict[str, list[int]]:
    """The heads that cut this width into equal parts, and the widths that these heads cut.

    >>> fitting(12, 4, widest=12)
    {'heads': [1, 2, 3, 4, 6, 12], 'd_model': [4, 8, 12]}
    """
    return {
        "heads": [count for count in range(1, MOST_HEADS + 1) if d_model % count == 0],
        "d_model": [width for width in range(NARROWEST, widest + 1) if width % heads == 0],
    }
