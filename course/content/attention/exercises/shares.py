"""What a softmax makes of a few plain numbers: how the weights compare, and what they sum to."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from course.checking.exercise import Case
from course.checking.exercise.wording import same, told_apart

Softmax = Callable[[Tensor, int], Tensor]

_ROWS = ((0.0, 1.0, -2.0, 3.0, 0.5), (1.5, -1.0, 0.0, 2.0, -0.5, 0.25, -3.0))
_CURVES: dict[str, Callable[[Tensor], Tensor]] = {
    "the absolute value of x": torch.abs,
    "-x": torch.neg,
    "x²": torch.square,
    "max(0, x)": torch.relu,
    "tanh(x)": torch.tanh,
    "sigmoid(x)": torch.sigmoid,
    "the softmax of x": lambda x: x.softmax(0),
}


def finds(function: Softmax, failed: Sequence[Case]) -> list[str]:
    """First whether the weights are in the right proportion, then what they are divided by."""
    rows = [torch.tensor(row, dtype=torch.float64) for row in _ROWS]
    made = [function(row.clone(), 0) for row in rows]
    if any(weights.shape != row.shape for weights, row in zip(made, rows, strict=True)):
        return []
    if all(same(weights, row.softmax(0)) for weights, row in zip(made, rows, strict=True)):
        return []
    if any(bool((weights <= 0).any()) or not weights.isfinite().all() for weights in made):
        return []
    logs = [weights.log() for weights in made]
    if all(same(log - log[0], row - row[0]) for log, row in zip(logs, rows, strict=True)):
        return [_of_the_sum(rows, made)]
    told = _of_the_proportion(function, rows, logs)
    return [told] if told else []


def _of_the_sum(rows: list[Tensor], made: list[Tensor]) -> str:
    """The proportions are right: which number was divided by."""
    sums = ", ".join(told_apart(weights.sum().item(), 1.0)[0] for weights in made)
    powers = [(row - row.max()).exp() for row in rows]
    divisors = [(p.sum() / weights.sum()).item() for p, weights in zip(powers, made, strict=True)]
    known: dict[str, Callable[[Tensor], float]] = {
        "1 plus their sum": lambda p: 1.0 + p.sum().item(),
        "the root of the sum of their squares": lambda p: p.norm().item(),
        "the largest of them, or nothing": lambda p: p.max().item(),
        "their mean": lambda p: p.mean().item(),
    }
    for name, number in known.items():
        if all(math.isclose(number(p), d) for p, d in zip(powers, divisors, strict=True)):
            return f"the weights are in the right proportion, but the exponentials are divided by {name}"
    more = [d - p.sum().item() for p, d in zip(powers, divisors, strict=True)]
    if math.isclose(more[0], more[1], rel_tol=1e-4) and more[0] > 0:
        return f"the weights are in the right proportion, but {more[0]:.3g} is added to what they are divided by"
    return f"the weights are in the right proportion, but sum to {sums} and not to 1"


def _of_the_proportion(function: Softmax, rows: list[Tensor], logs: list[Tensor]) -> str:
    if all(same(log, log[:1].expand_as(log)) for log in logs):
        weights = " and ".join(
            f"{log[0].exp().item():.4g} for each of {len(row)} numbers"
            for log, row in zip(logs, rows, strict=True)
        )
        return f"along a single axis all numbers get the same weight: {weights}"
    if all(
        same(function(2 * row, 0).log() - log, torch.zeros_like(log))
        for row, log in zip(rows, logs, strict=True)
    ):
        return "the weights stay the same when all numbers are doubled: x is divided by its own spread or size"
    slopes = [_slope(row, log) for row, log in zip(rows, logs, strict=True)]
    if None not in slopes:
        if same(*(torch.tensor(slope) for slope in slopes)):
            return f"the weights are those of {slopes[0]:.4g} x: what goes into exp is not x"
        said = " and ".join(
            f"{slope:.4g} for {len(row)} numbers" for slope, row in zip(slopes, rows, strict=True)
        )
        roots = [1 / math.sqrt(len(row)) for row in rows]
        if all(math.isclose(s or 0.0, r) for s, r in zip(slopes, roots, strict=True)):
            said = "1 over the root of how many numbers there are"
        return (
            f"the weights are those of x multiplied by a number that does not belong there: {said}"
        )
    for name, curve in _CURVES.items():
        if all(
            same(log - log[0], curve(row) - curve(row)[0])
            for log, row in zip(logs, rows, strict=True)
        ):
            return f"the weights are those of {name}: what goes into exp is not x"
    far = [(log - log[0]) - (row - row[0]) for log, row in zip(logs, rows, strict=True)]
    if far[0][1].abs() > 1e-3:  # the plainest pair shows it
        most, place, power = 0, 1, "e"
    else:
        most = max((0, 1), key=lambda i: far[i].abs().max().item())
        place = int(far[most].abs().argmax())
        power = f"exp({rows[most][place]:g} - {rows[most][0]:g})"
    first, other = rows[most][0].item(), rows[most][place].item()
    ratio = (logs[most][place] - logs[most][0]).exp().item()
    came, wanted = told_apart(ratio, math.exp(other - first))
    return (
        f"of the numbers {first:g} and {other:g} the second should get {power} = {wanted} times the weight of "
        f"the first, and gets {came} times as much"
    )


def _slope(row: Tensor, log: Tensor) -> float | None:
    """k, where the weights are those of k x."""
    apart, came = row - row[0], log - log[0]
    slope = (apart @ came) / (apart @ apart)
    return slope.item() if same(slope * apart, came) else None
