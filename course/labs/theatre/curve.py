"""A run's records as arrays: its curve, smoothed, and the gradients' lengths after an update."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from course.training import Record

Floats = NDArray[np.float32]
LATE = 2000  # records behind the newest, among which a figure may still be added
MOST = 1200  # points of a curve that are sent at once; four numbers each make 20 KB


@dataclass(frozen=True)
class Curve:
    """The loss of each update, and the held-out figure where it was measured.

    Attributes:
        steps: `(n,)`, the updates, in order.
        losses: `(n,)`.
        at: `(m,)`, the updates after which the figure was measured.
        figures: `(m,)`.
    """

    steps: Floats
    losses: Floats
    at: Floats
    figures: Floats

    def buffer(self) -> bytes:
        """The numbers as `front/tracks.js` reads them."""
        parts = (self.steps, self.losses, self.at, self.figures)
        return b"".join(part.astype("<f4").tobytes() for part in parts)


def curve(
    records: Sequence[Record],
    figure: str,
    most: int = MOST,
    first: int = 0,
    measured_after: int = -1,
) -> Curve:
    """The records as arrays; of more than `most` points evenly many are left out, never the last.

    Args:
        records: those of a run.
        figure: the name of the held-out figure.
        most: points of each curve.
        first: how many records are left out at the beginning.
        measured_after: the update up to which figures are left out: one may be added to a record that
            is there already.
    """
    losses = _spread([(each.step, each.loss) for each in records[first:]], most)
    measured = [
        (each.step, each.metrics[figure])
        for each in records[max(0, first - LATE) if measured_after >= 0 else 0 :]
        if figure in each.metrics and each.step > measured_after
    ]
    figures = _spread(measured, most)
    return Curve(losses[0], losses[1], figures[0], figures[1])


def _spread(points: Sequence[tuple[int, float]], most: int) -> Floats:
    """`(2, n)` of at most `most` points, with the last."""
    every = max(1, math.ceil(len(points) / most))
    kept = points[::-1][::every][::-1]
    return np.array(kept, np.float32).reshape(-1, 2).T


def smoothed(
    steps: Sequence[int] | Floats, losses: Sequence[float] | Floats, constant: float
) -> Floats:
    """A mean that forgets: after `constant` updates a jump has come through to 63 %.

    Early points weigh as much as there are (Kingma and Ba 2015, "Adam", section 3: bias correction).
    NaN and infinity leave it as it was. `front/tracks.js` computes the same.

    >>> smoothed([1, 2, 3], [2.0, 2.0, 2.0], constant=5.0).tolist()
    [2.0, 2.0, 2.0]
    """
    total = weight = 0.0
    before: float | None = None
    means = []
    for step, loss in zip(steps, losses, strict=True):
        keeps = math.exp(-(1.0 if before is None else float(step) - before) / constant)
        before = float(step)
        if math.isfinite(loss):
            total = total * keeps + float(loss) * (1 - keeps)
            weight = weight * keeps + (1 - keeps)
        means.append(total / weight if weight else math.nan)
    return np.array(means, np.float32)


def constant_of(total: int) -> float:
    """How slowly the smoothed loss of a run of so many updates forgets, in updates."""
    return min(50.0, max(5.0, total / 60))


def record_at(records: Sequence[Record], step: int) -> Record | None:
    """The last record not after an update; None before the first."""
    place = bisect_right(records, step, key=_step_of)
    return records[place - 1] if place else None


def _step_of(record: Any) -> int:
    return int(record.step)


def norms_at(records: Sequence[Record], step: int) -> Mapping[str, float]:
    """The gradient's length by layer at an update; empty where nobody measured it."""
    record = record_at(records, step)
    return {} if record is None else dict(record.layer_norms)


def figure_at(records: Sequence[Record], figure: str, step: int) -> float | None:
    """The held-out figure as it was last measured at or before an update."""
    place = bisect_right(records, step, key=_step_of)
    for record in reversed(records[:place]):
        if figure in record.metrics:
            return float(record.metrics[figure])
    return None
