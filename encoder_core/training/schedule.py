"""The learning-rate schedule, and weight decay by parameter group.

Sources: Devlin et al. 2019, "BERT", appendix A.2 (linear warm-up, linear decay, weight decay
0.01; no decay on biases and LayerNorm in its code); Loshchilov and Hutter 2019, "Decoupled Weight
Decay Regularization", algorithm 2 (AdamW); Loshchilov and Hutter 2017, "SGDR", equation 5 (cosine,
here without restarts).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Literal, get_args

from torch import nn

__all__ = [
    "Rates",
    "Schedule",
    "learning_rate",
    "parameter_groups",
    "require_schedule",
    "scheduled_rate",
]

_Named = Literal["linear", "cosine", "constant"]
Schedule = _Named | Callable[[int, int], float]

_FACTORS: dict[str, Callable[[int, int], float]] = {
    "linear": lambda step, total: max(0.0, (total - step) / total),
    "cosine": lambda step, total: (1 + math.cos(math.pi * min(1.0, step / total))) / 2,
    "constant": lambda step, total: 1.0,
}


def require_schedule(schedule: object) -> None:
    """Raise ValueError for an unknown name, and TypeError for what is neither a name nor a function.

    >>> require_schedule("exponential")
    Traceback (most recent call last):
    ValueError: schedule must be one of linear, cosine, constant, or a function; got 'exponential'.
    """
    if isinstance(schedule, str) and schedule not in _FACTORS:
        names = ", ".join(get_args(_Named))
        raise ValueError(f"schedule must be one of {names}, or a function; got {schedule!r}.")
    if not isinstance(schedule, str) and not callable(schedule):
        kind = type(schedule).__name__
        raise TypeError(
            f"schedule must be a name or a function (step, total) -> factor; got {kind}."
        )


def learning_rate(step: int, warmup: int, total: int, peak: float) -> float:
    """Rise linearly from 0 to `peak` over `warmup` steps, then fall linearly to 0 at `total`.

    `step` counts the updates already made: with a warm-up the first update has rate 0. Raises
    ValueError unless 0 <= warmup < total.

    >>> [learning_rate(step, warmup=2, total=6, peak=1.0) for step in range(7)]
    [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    return scheduled_rate("linear", step, warmup, total, peak)


def scheduled_rate(schedule: Schedule, step: int, warmup: int, total: int, peak: float) -> float:
    """Return the rate of the update after `step` others: linear warm-up, then the schedule.

    A schedule's function is called with the steps since the warm-up, and their total. Raises
    ValueError unless 0 <= warmup < total, or if a function returns a negative or infinite factor.

    >>> [scheduled_rate("cosine", step, warmup=2, total=6, peak=1.0) for step in (1, 2, 4, 6)]
    [0.5, 1.0, 0.5, 0.0]
    >>> scheduled_rate(lambda step, total: 0.5 ** (step / total), 4, warmup=0, total=4, peak=1.0)
    0.5
    """
    if not 0 <= warmup < total:
        raise ValueError(f"Need 0 <= warmup < total, got warmup={warmup} and total={total}.")
    factor = _FACTORS[schedule] if isinstance(schedule, str) else schedule
    decay = float(factor(max(0, step - warmup), total - warmup))
    if not 0 <= decay < math.inf:
        raise ValueError(
            f"The schedule returned the factor {decay} at step {step} of {total}; it must be a "
            "finite number of at least 0."
        )
    return peak * decay * step / warmup if step < warmup else peak * decay


class Rates:
    """The rate of every update: a schedule, and the peaks that it is scaled to.

    `planned` and `made` are changes `(step, peak)`: the update after `step` others, and all later
    ones, have the new peak. `made` ones were asked for in a running training.

    >>> rates = Rates("constant", warmup=0, peak=1.0, planned=[(2, 3.0)])
    >>> [rates.at(step, total=4) for step in range(4)]
    [1.0, 1.0, 3.0, 3.0]
    >>> rates.change(3, 0.5)
    >>> rates.at(3, total=4)
    0.5
    """

    def __init__(
        self,
        schedule: Schedule,
        warmup: int,
        peak: float,
        planned: Iterable[tuple[int, float]] = (),
    ) -> None:
        self.schedule, self.warmup, self.peak = schedule, warmup, peak
        self.planned = [(step, float(rate)) for step, rate in planned]
        self.made: list[tuple[int, float]] = []

    def change(self, step: int, peak: float) -> None:
        """Scale the schedule to a new peak after `step` updates, until the next change."""
        self.made.append((step, float(peak)))

    def changes(self, before: float = math.inf) -> list[tuple[int, float]]:
        """Return the changes at steps below `before`, in order; of those at one step, the last."""
        in_order = sorted([*self.planned, *self.made], key=lambda change: change[0])
        return list({step: (step, peak) for step, peak in in_order if step < before}.values())

    def peak_at(self, step: int) -> float:
        """Return the peak of the update after `step` others."""
        return ([self.peak] + [peak for _, peak in self.changes(before=step + 1)])[-1]

    def at(self, step: int, total: int) -> float:
        """Return the rate of the update after `step` others, of `total`; see `scheduled_rate`."""
        return scheduled_rate(self.schedule, step, self.warmup, total, self.peak_at(step))


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Split the trainable parameters for `torch.optim.AdamW`: only those with two axes or more decay.

    A parameter shared by two modules appears once.

    >>> groups = parameter_groups(nn.Linear(2, 3), weight_decay=0.01)
    >>> [(len(group["params"]), group["weight_decay"]) for group in groups]
    [(1, 0.01), (1, 0.0)]
    """
    trainable = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trainable if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trainable if p.dim() < 2], "weight_decay": 0.0},
    ]
