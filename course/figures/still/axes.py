"""The axes of a still picture: from numbers to pixels, and where their marks stand.

The rules are plotly.js's own (src/plots/cartesian/axes.js and autorange.js, version 2.35), so that the
picture has the ranges and the marks of the live figure, but for marks between the powers of ten.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from course.figures.still.known import Unknown, values

__all__ = ["Axis", "linear_step", "marks", "spoken"]

_DATE = re.compile(r"\d{4}-\d\d")
_SUFFIX = {-12: "p", -9: "n", -6: "μ", -3: "m", 3: "k", 6: "M", 9: "B", 12: "T"}
_MOST_MARKS = 200


class Axis:
    """One axis: its settings, its data's extremes, and, once placed, its pixels.

    Args:
        name: "x", "x2", "y" and so on.
        settings: plotly's, the template's among them.
        data: all values on it that decide about its range and kind.
    """

    def __init__(self, name: str, settings: Mapping[str, Any], data: Sequence[Any]) -> None:
        self.name, self.settings = name, settings
        self.upright = name[0] == "y"
        self.names: list[str] = []
        if any(isinstance(value, str) for value in data):
            if any(_DATE.match(value) for value in data if isinstance(value, str)):
                raise Unknown("dates")
            self.names = list(dict.fromkeys(str(value) for value in data))
        kind = settings.get("type") or ("category" if self.names else "linear")
        if kind not in ("linear", "log", "category") or (kind == "category") != bool(self.names):
            raise Unknown(f"an axis of type {kind!r}")
        self.log = kind == "log"
        self.low = self.high = (
            0.0  # the range, from its first end to its last; of a log axis powers of ten
        )
        self.first = self.last = 0.0  # where they stand, in pixels

    @property
    def shown(self) -> bool:
        """Whether anything of the axis is seen."""
        return bool(self.settings.get("visible", True))

    @property
    def labelled(self) -> bool:
        """Whether texts stand at its marks."""
        return self.shown and bool(self.settings.get("showticklabels", True))

    @property
    def title(self) -> str:
        """Its title, empty where none is seen."""
        title = self.settings.get("title") or {}
        text = title.get("text", "") if isinstance(title, Mapping) else title
        return str(text or "") if self.shown else ""

    def scaled(self, value: Any) -> float:
        """A value on the axis's scale; NaN where it has no place."""
        if value is None:
            return math.nan
        if self.names:
            return float(self.names.index(str(value)))
        value = float(value)
        if not math.isfinite(value) or (self.log and value <= 0):
            return math.nan
        return math.log10(value) if self.log else value

    def at(self, value: Any) -> float:
        """A value's place in pixels."""
        return self.place(self.scaled(value))

    def place(self, scaled: float) -> float:
        """The place of what is on the axis's scale."""
        share = (scaled - self.low) / (self.high - self.low)
        return self.first + share * (self.last - self.first)

    def put(self, first: float, last: float) -> None:
        """Give the axis its pixels, those of its first and of its last number."""
        self.first, self.last = first, last

    def set_range(self, extremes: Sequence[tuple[float, float, float]], tight: bool) -> None:
        """Choose the range as plotly does.

        Args:
            extremes: of each trace the least, the largest, and the pixels to leave beside them;
                -1 pixels for an end that is 0 and stays at the edge.
            tight: the ends are the extremes themselves.
        """
        given = self.settings.get("range")
        if given is not None:
            self.low, self.high = (float(end) for end in given)
            return
        ends = [pair for pair in extremes if math.isfinite(pair[0])]
        low = min((pair[0] for pair in ends), default=0.0)
        high = max((pair[1] for pair in ends), default=1.0)
        if low == high:
            low, high = low - 1, high + 1
        elif not tight:
            length = abs(self.last - self.first)
            pads = [
                0.0 if any(pair[2] < 0 and end == 0 for pair in ends)
                else max((pair[2] for pair in ends), default=0.0) + 0.05 * length
                for end in (low, high)
            ]  # fmt: skip
            unit = (high - low) / max(1.0, length - sum(pads))
            low, high = low - pads[0] * unit, high + pads[1] * unit
        self.low, self.high = low, high
        if self.settings.get("autorange") == "reversed":
            self.low, self.high = high, low

    def marks(self) -> list[tuple[float, str]]:
        """Where the marks stand, in pixels, and what is written there."""
        if not self.shown:
            return []
        given = self.settings.get("tickvals")
        if given is not None and self.settings.get("tickmode", "array") == "array":
            found = self._given(values(given))
        elif self.names:
            found = list(enumerate(self.names))
        elif self.log:
            found = self._powers()
        else:
            found = marks(self.low, self.high, self._step())
        low, high = sorted((self.low, self.high))
        slack = 1e-6 * (high - low)
        return [(self.place(at), text) for at, text in found if low - slack <= at <= high + slack]

    def _given(self, places: Sequence[Any]) -> list[tuple[float, str]]:
        texts = self.settings.get("ticktext")
        said = list(map(_alone, places)) if texts is None else [str(one) for one in values(texts)]
        pairs = zip(places, said, strict=False)
        return [(self.scaled(place), text) for place, text in pairs]

    def _step(self) -> float:
        given = self.settings.get("dtick")
        if isinstance(given, (int, float)):
            return float(given)
        if given is not None:
            raise Unknown(f"dtick {given!r}")
        length = abs(self.last - self.first)
        count = (
            self.settings.get("nticks") or min(9, max(4, length / (40 if self.upright else 80))) + 1
        )
        return linear_step(self.low, self.high, count)

    def _powers(self) -> list[tuple[float, str]]:
        low, high = sorted((self.low, self.high))
        step = self.settings.get("dtick")
        if step is not None and not isinstance(step, int):
            raise Unknown(f"dtick {step!r} of a logarithmic axis")
        step = step or max(1, math.ceil((high - low) / 8))
        found = [
            (float(power), self._power(power))
            for power in range(math.ceil(low), math.floor(high) + 1)
            if power % step == 0
        ]
        if len(found) >= 2:
            return found
        between = [(power, f) for power in range(math.floor(low), math.ceil(high)) for f in (2, 5)]
        return found + [(power + math.log10(f), f"{f * 10.0**power:g}") for power, f in between]

    def _power(self, power: int) -> str:
        if self.settings.get("exponentformat") == "power" and power not in (0, 1):
            return f"10<sup>{'−' if power < 0 else ''}{abs(power)}</sup>"
        return f"{10.0**power:g}" if -5 < power < 6 else f"10<sup>{power}</sup>".replace("-", "−")


def _alone(value: float) -> str:
    """A number that stands at a mark of its own: in full, or from a million on in millions and so on."""
    if abs(value) < 1e6:
        return f"{value:g}".replace("-", "−")
    return spoken(value, 3 * int(math.log10(abs(value)) // 3), abs(value))


def linear_step(low: float, high: float, count: float) -> float:
    """The step between marks: 1, 2 or 5 times a power of ten, for about `count` of them."""
    rough = abs(high - low) / count
    base = 10.0 ** math.floor(math.log10(rough))
    return next(factor * base for factor in (1, 2, 5, 10) if factor * base >= rough * 0.999999)


def marks(low: float, high: float, step: float) -> list[tuple[float, str]]:
    """Multiples of the step between two numbers, and how each is written."""
    low, high = sorted((low, high))
    if step <= 0 or (high - low) / step > _MOST_MARKS:
        raise Unknown(f"marks every {step} from {low} to {high}")
    largest = max(abs(low), abs(high))
    exponent = math.floor(math.log10(largest) + 0.01) if largest else 0
    thousands = 3 * round((exponent - 1) / 3) if abs(exponent) > 3 else 0
    places = range(math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6) + 1)
    return [(place * step, spoken(place * step, thousands, step)) for place in places]


def spoken(value: float, thousands: int, step: float = 1.0) -> str:
    """A number with as many digits as steps of this size need, in units of 10 ** thousands."""
    if value == 0:
        return "0"
    if thousands not in _SUFFIX and thousands:
        return f"{value:.3g}".replace("-", "−")
    digits = max(0, 2 - math.floor(math.log10(step) + 0.01) + thousands)
    text = f"{abs(value) / 10**thousands:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return ("−" if value < 0 else "") + text + _SUFFIX.get(thousands, "")
