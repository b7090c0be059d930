"""The stations of the way through an encoder: the boxes of `figures.encoder`, with the steps in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from course.labs.shapes.steps import ATTENTION, KINDS, NETWORK
from course.labs.shapes.trace import Step

# A station's name, as `figures.encoder` and `ShapeTracer(station=...)` have it; what is written in
# its box; and the kinds of step that belong to it.
_STATIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("tokens", "cut into tokens", ("tokens", "ids", "padding")),
    ("embedding", "a vector for each token", ("bert.rows", "text.rows", "own.embedded")),
    (
        "positions",
        "its place added",
        ("bert.positions", "bert.sum", "bert.segments", "bert.norm", "text.positions"),
    ),
    ("attention", "self-attention", ATTENTION),
    ("residual", "add", ("residual1", "residual2")),
    ("norm", "normalise", ("norm1", "norm2", "final")),
    ("feed_forward", "feed-forward network", NETWORK),
    ("hidden", "one vector a text", ("pooled", "unit")),
)
NAMES = tuple(name for name, _, _ in _STATIONS)
_OF_KIND = {kind: name for name, _, kinds in _STATIONS for kind in kinds}
_WRITTEN = {name: written for name, written, _ in _STATIONS}


@dataclass(frozen=True)
class Station:
    """A stretch of the way.

    Attributes:
        name: one of `NAMES`.
        layer: which layer it is in, from 0; None outside of the layers.
        first: its first step.
        last: its last step.
    """

    name: str
    layer: int | None
    first: int
    last: int

    @property
    def written(self) -> str:
        """What stands in its box."""
        return _WRITTEN[self.name]


def stations(steps: Sequence[Step]) -> list[Station]:
    """All stations of a walk, first to last; every step belongs to one.

    Raises:
        KeyError: a kind of step that belongs to no station.
    """
    found: list[Station] = []
    for number, step in enumerate(steps):
        name = _OF_KIND[step.kind]
        last = found[-1] if found else None
        if last is not None and (last.name, last.layer) == (name, step.layer):
            found[-1] = Station(name, step.layer, last.first, number)
        else:
            found.append(Station(name, step.layer, number, number))
    return found


def first_step(steps: Sequence[Step], name: str) -> int:
    """The step with which a station begins, in the first layer that has it.

    Raises:
        ValueError: there is no station of that name; the text lists those that there are.
    """
    found = stations(steps)
    for station in found:
        if station.name == name:
            return station.first
    known = ", ".join(dict.fromkeys(station.name for station in found))
    raise ValueError(f"There is no station {name!r} on this way; choose one of {known}.")


def shown(found: Sequence[Station], step: int) -> list[Station]:
    """The stations that are drawn: those outside of the layers, and those of one layer.

    It is the layer of the step; before the layers the first, after them the last.
    """
    layers = [station.layer for station in found if station.layer is not None]
    here = next(station for station in found if station.first <= step <= station.last)
    layer = here.layer
    if layer is None and layers:
        first = next(station.first for station in found if station.layer is not None)
        layer = layers[0] if step < first else layers[-1]
    return [station for station in found if station.layer in (None, layer)]


def says(steps: Sequence[Step], station: Station) -> str:
    """What happens at a station: its steps by name."""
    names = dict.fromkeys(KINDS[step.kind].name for step in steps[station.first : station.last + 1])
    return "; ".join(names)  # some hold a comma
