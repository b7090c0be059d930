"""What a layer norm takes off each token, and by what it divides: found out from its results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from course.checking.exercise import Case
from course.checking.exercise.draw import Draw
from course.checking.exercise.wording import farthest, same, told_apart

_EPS = 1e-5
_FAR = 1e7  # a mean, beside a variance of 1
_WHOLE = "the result is no stretched and shifted x: something bends it, cuts it off or takes its parts apart"


class Line(NamedTuple):
    """A token's result as (x - centre) / divisor, both (B, S, 1)."""

    centre: Tensor
    divisor: Tensor


def finds(function: Callable[..., Tensor], failed: Sequence[Case]) -> list[str]:
    """What is wrong with a layer norm of x (B, S, D) of unit scale."""
    narrow, wide = _of(function, 5), _of(function, 31)  # in a narrow vector no number is far out
    return narrow or wide or _far_out(function)


def _far_out(function: Callable[..., Tensor]) -> list[str]:
    """Whether digits are lost where the mean is large beside the spread; small numbers are right."""
    # Multiples of 1/4096, so that a mean of 8 of them is exact and their squares are not.
    x = (Draw(3).normal(3, 8) * 4096).round() / 4096 + _FAR
    made = function(x.clone(), torch.ones_like(x[0]), torch.zeros_like(x[0]))
    if made.shape != x.shape or same(made, _right(x)):
        return []
    return [
        f"with a mean of {_FAR:g} and a variance of 1 digits are lost: a difference of two large numbers that are "
        "nearly equal, as the mean of the squares minus the square of the mean, has few digits left. Subtract the "
        "mean from x first, then square"
    ]


def _of(function: Callable[..., Tensor], width: int) -> list[str]:
    draw = Draw(1)
    x, weight, bias = draw.normal(3, 4, width) + 0.5, draw.normal(width) + 2.0, draw.normal(width)
    ones, zeros = torch.ones_like(weight), torch.zeros_like(bias)
    plain = function(x.clone(), ones, zeros)
    if same(plain, _right(x)):
        if same(function(x.clone(), weight, bias), _right(x) * weight + bias):
            return []  # what is wrong depends on other circumstances
        return ["with a weight of 1 and a bias of 0 it is right: look at where the two are used"]
    line = _line(x, plain)
    if line is None:
        return [_mixed(function, x) or _bent(x, plain) or _WHOLE]
    return _of_the_line(x, line)


def _right(x: Tensor) -> Tensor:
    variance = x.var(-1, correction=0, keepdim=True)
    return (x - x.mean(-1, keepdim=True)) / (variance + _EPS).sqrt()


def _line(x: Tensor, result: Tensor) -> Line | None:
    """The straight line from a token's numbers to its results, where there is one."""
    if result.shape != x.shape or not result.isfinite().all():
        return None
    x_mean, mean = x.mean(-1, keepdim=True), result.mean(-1, keepdim=True)
    apart = x - x_mean
    slope = (apart * result).sum(-1, keepdim=True) / apart.square().sum(-1, keepdim=True)
    if not same(slope * apart + mean, result) or slope.abs().min() < 1e-6:
        return None
    return Line(x_mean - mean / slope, 1 / slope)


def _of_the_line(x: Tensor, line: Line) -> list[str]:
    said = []
    mean = x.mean(-1, keepdim=True)
    if not same(line.centre, mean):
        said.append(_wrong(x, line.centre, mean, "taken off each token", "its mean", _centres(x)))
    variance = (x - line.centre).square().mean(-1, keepdim=True)
    wanted = (variance + _EPS).sqrt()  # around what was taken off, be that right or wrong
    if not same(line.divisor, wanted):
        right = (x.var(-1, correction=0, keepdim=True) + _EPS).sqrt()
        if not same(line.divisor, right):
            known = _divisors(x - line.centre)
            by = "what each token is divided by"
            said.append(
                _wrong(x, line.divisor, right, by, "the root of its variance plus eps", known)
            )
    return said


def _wrong(
    x: Tensor, came: Tensor, right: Tensor, what: str, wanted: str, known: dict[str, Tensor]
) -> str:
    """Which number stands in the place of another: shared among tokens, known by name, or shown."""
    what = what if what.startswith("what") else f"what is {what}"
    own = f"a token's own is {wanted}, of its D numbers alone"
    if same(came, came[:1, :1].expand_as(came)):
        return f"{what} is one number for the whole of x; {own}"
    if same(came, came[:, :1].expand_as(came)):
        return f"{what} is the same number for all tokens of a sentence; {own}"
    if same(came, came[:1].expand_as(came)):
        return f"{what} is the same number for the same place in every sentence; {own}"
    name = next((name for name, number in known.items() if same(came, number)), "")
    if name:
        return f"{what} is {name}, and should be {wanted}"
    place = farthest(came, right)
    row = ", ".join(f"{number:.2f}" for number in x[place][:5].tolist())
    one, other = told_apart(came[place].item(), right[place].item())
    return f"{what} should be {wanted}: for the token ({row}) that is {other}, and {one} came"


def _centres(x: Tensor) -> dict[str, Tensor]:
    low, high = x.amin(-1, keepdim=True), x.amax(-1, keepdim=True)
    return {
        "0, that is nothing": torch.zeros_like(low),
        "its median": x.median(-1, keepdim=True).values,
        "its largest number": high,
        "its smallest number": low,
        "the middle between its smallest and its largest number": (low + high) / 2,
        "its first number": x[..., :1],
        "its last number": x[..., -1:],
        "the sum of its numbers": x.sum(-1, keepdim=True),
        "the root of its mean square": x.square().mean(-1, keepdim=True).sqrt(),
    }


def _divisors(apart: Tensor) -> dict[str, Tensor]:
    """Of what is left once something is taken off."""
    squares = apart.square().sum(-1, keepdim=True)
    width = apart.shape[-1]
    span = apart.amax(-1, keepdim=True) - apart.amin(-1, keepdim=True)
    found = {
        "1: nothing is divided": torch.ones_like(squares),
        "the root of the sum of squares over D + 1": (squares / (width + 1)).sqrt(),
        "the root of the sum of squares over D - 1": (squares / (width - 1)).sqrt(),
        "the root of D": torch.full_like(squares, width**0.5),
        "the length of what is left, which sums the squares": squares.sqrt(),
        "the distance from the smallest to the largest number": span,
        "the largest absolute number": apart.abs().amax(-1, keepdim=True),
        "the mean absolute number": apart.abs().mean(-1, keepdim=True),
        "the sum of the absolute numbers": apart.abs().sum(-1, keepdim=True),
        "its variance, without the root": squares / width,
        "the fourth root of its variance": (squares / width).sqrt().sqrt(),
    }
    near = {f"{name}, plus eps": number + _EPS for name, number in found.items()}
    inside = {
        f"{name}, with eps in the root": (number.square() + _EPS).sqrt()
        for name, number in found.items()
    }
    return {**found, **near, **inside}


def _bent(x: Tensor, result: Tensor) -> str:
    """From where on the result leaves the normalised x, where small numbers are right."""
    right = _right(x)
    if result.shape != x.shape:
        return ""
    wrong = ~torch.isclose(result, right, 1e-6, 1e-7)
    edge = right[wrong].abs().min()
    if wrong.all() or right[~wrong].abs().max() > edge:
        return ""
    return f"it is right but where the normalised number is beyond ±{edge.item():.2f}: is something cut off?"


def _mixed(function: Callable[..., Any], x: Tensor) -> str:
    """Whose numbers enter a token's result that should not."""
    weight, bias = torch.ones_like(x[0, 0]), torch.zeros_like(x[0, 0])
    changed = x.clone()
    changed[0, 0] = 2 * x[0, 0].flip(0)
    before, after = (function(y.clone(), weight, bias) for y in (x, changed))
    if before.shape != x.shape or after.shape != x.shape:
        return ""
    moved = ((before - after).abs() > 1e-6).any(-1)  # (B, S)
    alone = "mean and variance run over the D numbers of one token alone"
    if moved[0, 1:].any() and moved[1:].any():
        return (
            f"when one token changes, the results of all others change, in every sentence: {alone}"
        )
    if moved[0, 1:].any():
        return f"when one token changes, the others of its sentence change too: {alone}"
    if moved[1:].any():
        return (
            f"when one token changes, those at its place in the other sentences change too: {alone}"
        )
    return ""
