"""feed_forward.dropout: inverted dropout, judged by its distribution."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Remark, tags, traps
from course.checking.exercise.cases import FLAT
from course.checking.exercise.draw import Draw

TOLERANCE = 0.05  # what chance alone moves is set back to its expected value beforehand
SIGMAS = 6.0


def repeating(dropout: Callable[..., Any]) -> Callable[..., Any]:
    """What the cases' arguments are given to: the submission, called `times` times where asked."""

    def run(x: Tensor, p: float, training: bool, times: int = 1) -> Any:
        if times == 1:
            return dropout(x, p, training)
        return torch.stack([dropout(x.clone(), p, training) for _ in range(times)])  # (times, ...)

    return run


def statistics(
    value: Tensor, x: Tensor, p: float, training: bool, times: int = 1
) -> dict[str, float]:
    """What can be told of one random result, by name.

    A statistic that differs from its expectation by less than `SIGMAS` standard deviations is given
    as the expectation, so that two answers of one kind agree whatever they drew. How many draws
    there are is found out first: a mask that repeats along an axis has fewer.
    """
    value, x = value.detach().double(), x.detach().double()
    zero, x = value == 0, x.expand_as(value)
    left = value[~zero]
    one_factor = left.numel() > 0 and bool(
        (left == left[0]).all()
    )  # the gradient, not a multiple of x
    factors = left.abs() if one_factor else (value / x)[~zero].abs()
    one_draw = factors.numel() == 0 or (
        not zero.any() and bool(((factors * (1 - p) - 1).abs() < 0.02).all())
    )
    varied = one_draw or bool(zero.any())
    repeats = [
        axis for axis in range(x.dim()) if varied and bool((zero == zero.narrow(axis, 0, 1)).all())
    ]
    drawn = zero
    for axis in repeats:
        drawn = drawn.narrow(axis, 0, 1)
    some = factors.numel() > 0
    found = {
        "share of zeros": _share(drawn, p),
        "what is left over x, on average": float(factors.mean()) if some else 1 / (1 - p),
        "what is left over x, its spread": float(factors.std()) if factors.numel() > 1 else 0.0,
    }
    for axis in range(x.dim()):
        if x.shape[axis] > 1:
            found[_together(axis, x.dim())] = float(axis in repeats)
    found["zeros in a row, spread against independent draws"] = _spread(drawn, p)
    found["zeros, correlation with x"] = _correlation(zero, x) if not repeats else 0.0
    return found


def nearness(value: Tensor, x: Tensor, p: float, training: bool) -> dict[str, float]:
    """How near a result is to x, where x itself is asked for.

    In numbers that two answers share that both drop here, whatever they drew. In half precision a
    draw is 0 every now and then: with p = 0, `draw > p` drops there what `draw >= p` keeps. Both
    are right, so that these few zeros don't count.
    """
    coarse = value.dtype in (torch.float16, torch.bfloat16)
    value, x = value.detach().double(), x.detach().double()
    zero = value == 0
    if coarse and p == 0 and zero.double().mean() < 2 / 256:  # bfloat16 draws in 256ths
        value, x = value[~zero], x[~zero]
        zero = zero[~zero]
    left = (value / x)[~zero].abs()
    return {
        "share of zeros": float(zero.double().mean()),
        "what is left over x, on average": float(left.mean()) if left.numel() else 1.0,
        "largest distance from x": float((value - x).abs().max()),
    }


def _together(axis: int, axes: int) -> str:
    names = {-1: "whole rows fall together", -2: "every row has the same zeros"}
    return names.get(axis - axes, f"the same zeros all along axis {axis}")


def _share(drawn: Tensor, p: float) -> float:
    share = float(drawn.double().mean())
    chance = math.sqrt(p * (1 - p) / drawn.numel())
    return p if abs(share - p) <= SIGMAS * chance + 1 / 256 else share  # bfloat16 draws in 256ths


def _spread(drawn: Tensor, p: float) -> float:
    """How far the zeros of rows differ in number, as a share of what independent draws would do."""
    if drawn.dim() < 2 or drawn.shape[-1] == 1 or drawn.numel() == drawn.shape[-1]:
        return 1.0
    counts = drawn.double().sum(dim=-1).flatten()
    share = float(drawn.double().mean())
    if not 0 < share < 1:
        return 1.0
    ratio = float(counts.std()) / math.sqrt(drawn.shape[-1] * share * (1 - share))
    return 1.0 if abs(ratio - 1) <= SIGMAS / math.sqrt(2 * len(counts)) else ratio


def _correlation(zero: Tensor, x: Tensor) -> float:
    pair = torch.stack([zero.double().flatten(), x.flatten()])
    if zero.all() or not zero.any():
        return 0.0
    found = float(torch.corrcoef(pair)[0, 1])
    return 0.0 if abs(found) <= SIGMAS / math.sqrt(x.numel()) else found


_BY_CHANCE: dict[str, Any] = {"summary": statistics, "tolerance": TOLERANCE}


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def numbers(*shape: int) -> Tensor:
        x = draw.normal(*shape)
        # None near 0, for a zero was made by dropout; all of one size, for the gradient's factors.
        return x.sign() + 0.1 * x.tanh() + 0.01

    def chance(says: str, shape: tuple[int, ...], p: float, *names: str) -> Case:
        return Case((numbers(*shape), p, True), says, tags=tags("training", *names), **_BY_CHANCE)

    def certain(p: float, training: bool, *shape: int, **more: Any) -> Case:
        names = [f"p = {p:g}"] * (p in (0, 1)) + ["not training"] * (not training)
        if not 0 <= p <= 1:
            names, more = ["p outside of [0, 1]"], {"raises": ValueError, **FLAT}
        says = f"p = {p:g}, {'training' if training else 'not training'}"
        return Case((numbers(*shape), p, training), says, tags=tags(*names), **more)

    def kept(p: float, training: bool) -> Case:
        near: dict[str, Any] = {"summary": nearness, "tolerance": TOLERANCE}
        return certain(p, training, 60, 70, differentiable=p < 1, **near)

    calls = "p = 0.5, 16 numbers in one row, 600 calls one after the other"
    many = tags("training", "many calls")
    return [
        chance("p = 0.3, 40 sentences of 30 tokens of width 32", (40, 30, 32), 0.3),
        chance("p = 0.1, a matrix", (150, 160), 0.1, "a matrix"),
        chance("p = 0.75, 10000 numbers in one row", (10000,), 0.75, "one axis"),
        chance("p = 0.5, four axes", (20, 24, 20, 4), 0.5, "p = 0.5", "four axes"),
        Case((numbers(16), 0.5, True, 600), calls, tags=many, **FLAT, **_BY_CHANCE),
        kept(0.3, False),
        kept(0.75, False),
        kept(0.0, True),
        certain(1.0, True, 3, 4, **FLAT),
        kept(1.0, False),
        kept(0.0, False),
        *(certain(p, training, 3, 4) for training in (True, False) for p in (1.5, -0.1)),
    ]


EXERCISE = Exercise(
    id="feed_forward.dropout",
    signature="(x, p, training)",
    minutes=20,
    difficulty=3,
    cases=_cases,
    random=True,
    harness=repeating,
    landmarks=(
        Landmark("zeros throughout", lambda x, p, training, times=1: torch.zeros_like(x)),
        Landmark("the input, unchanged", lambda x, p, training, times=1: x),
        Landmark("the input times 1 - p", lambda x, p, training, times=1: x * (1 - p)),
        Landmark(
            "the input over 1 - p", lambda x, p, training, times=1: x / (1 - p) if p < 1 else x
        ),
    ),
    remarks=(
        Remark(
            "nan-gradient-when-all-is-dropped",
            Case(
                (torch.tensor([[0.5, -1.0, 2.0]], dtype=torch.float64), 1.0, True),
                "p = 1, training",
            ),
            traps.not_finite,
            "With p = 1 it returns zeros, but the gradient that flows back is NaN: x / (1 - p) is computed first, "
            "infinite, and only what comes out is replaced. Choose the factor before you multiply with it.",
            mode="gradient",
        ),
    ),
)
