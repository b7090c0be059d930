"""From settings and a machine to what is drawn. Nothing here knows of widgets, and nothing is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from course.labs.cost.settings import Settings, check_settings, doubling
from encoder_core.inspect.costs import Cost, Memory, encoder_memory, layer_costs
from encoder_core.inspect.machine import Machine

LONGEST = 65_536  # tokens on the curve
LENGTHS = tuple(doubling(LONGEST)[3:])  # of the curve, beside that of the settings
SQUARE = ("attention", "scores", "softmax", "weighted values")  # parts of each pair of tokens


@dataclass(frozen=True)
class Moment:
    """The predicted time of the whole stack at one length, in seconds."""

    length: int
    square: float
    rest: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.square + self.rest


@dataclass(frozen=True)
class Shown:
    """What the lab draws.

    Attributes:
        costs: one layer's parts, in order.
        machine: its two rates.
        memory: of the whole stack.
        layers: how many there are.
        tokens: of the batch.
        curve: the time at growing lengths.
        crossover: the least length at which the square takes longer than the rest; None beyond the curve.
    """

    costs: tuple[Cost, ...]
    machine: Machine
    memory: Memory
    layers: int
    tokens: int
    curve: tuple[Moment, ...]
    crossover: int | None

    @property
    def layer_seconds(self) -> float:
        """The predicted time of a layer: each part takes its own, one after the other."""
        return sum(self.machine.seconds(cost) for cost in self.costs)

    @property
    def seconds(self) -> float:
        """The predicted time of all layers."""
        return self.layers * self.layer_seconds

    @property
    def operations(self) -> int:
        """Of all layers."""
        return self.layers * sum(cost.operations for cost in self.costs)

    @property
    def bytes(self) -> int:
        """Moved by all layers."""
        return self.layers * sum(cost.bytes for cost in self.costs)

    @property
    def parameters(self) -> int:
        """Of all layers."""
        return self.layers * sum(cost.parameters for cost in self.costs)

    @property
    def square_share(self) -> float:
        """The share of the operations that grow with the square of the length."""
        whole = sum(cost.operations for cost in self.costs)
        return sum(cost.square for cost in self.costs) / whole

    def waits_for_memory(self) -> list[Cost]:
        """The parts whose bytes take longer than their operations."""
        return [cost for cost in self.costs if self.machine.limit(cost) == "memory"]


def compute(settings: Settings, machine: Machine) -> Shown:
    """Count everything.

    Raises:
        InvalidSetting: a setting is invalid; the text says why.

    >>> shown = compute(Settings(), Machine(peak=50e9, bandwidth=5e9))
    >>> round(shown.operations / 1e9, 1), shown.crossover
    (23.1, 1531)
    """
    check_settings(settings)
    doubled, crossover = _at_all_lengths(replace(settings, length=1), machine)
    here = [] if settings.length in LENGTHS else [moment(settings, settings.length, machine)]
    return Shown(
        tuple(costs_of(settings)),
        machine,
        memory_of(settings),
        settings.layers,
        settings.batch * settings.length,
        tuple(sorted([*doubled, *here], key=lambda each: each.length)),
        crossover,
    )


@lru_cache(maxsize=4)
def _at_all_lengths(settings: Settings, machine: Machine) -> tuple[tuple[Moment, ...], int | None]:
    """The moments at `LENGTHS`, and the crossover: another length of the settings leaves both."""
    moments = tuple(moment(settings, length, machine) for length in LENGTHS)
    return moments, _crossover(settings, machine)


def costs_of(settings: Settings) -> list[Cost]:
    """Return one layer's parts."""
    return layer_costs(
        *settings.size,
        settings.bytes_per_number,
        settings.attention,
        training=settings.training,
    )


def memory_of(settings: Settings, layers: int | None = None) -> Memory:
    """Return the memory of the stack, or of another number of its layers."""
    return encoder_memory(
        *settings.size,
        layers or settings.layers,
        settings.bytes_per_number,
        settings.attention,
        training=settings.training,
    )


def moment(settings: Settings, length: int, machine: Machine) -> Moment:
    """Predict the time at another length."""
    costs = costs_of(replace(settings, length=length))

    def seconds(parts: Sequence[Cost]) -> float:
        return settings.layers * sum(map(machine.seconds, parts))

    return Moment(
        length,
        seconds([cost for cost in costs if cost.part in SQUARE]),
        seconds([cost for cost in costs if cost.part not in SQUARE]),
    )


def _crossover(settings: Settings, machine: Machine) -> int | None:
    """Find the least length from which on the square takes longer than the rest, by bisection."""

    def longer(length: int) -> bool:
        there = moment(settings, length, machine)
        return there.square > there.rest

    low, high = 1, LONGEST
    if not longer(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if longer(middle) else (middle + 1, high)
    return low
