"""Which step of a feed-forward network is wrong: each is seen alone, the others made to do nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from course.checking.exercise import Case
from course.checking.exercise.draw import Draw
from course.checking.exercise.wording import farthest, rows_told_apart, same, times

_SIZES = {"B": 11, "S": 13, "D": 7, "F": 5}  # no factor that a person would write

Ffn = Callable[..., Tensor]


def finds(function: Ffn, failed: Sequence[Case]) -> list[str]:
    """What comes where only b2, only b1 or only x can show in the result, in this order."""
    batch, length, width, inner = _SIZES.values()
    draw = Draw(2)
    x, b1, b2 = draw.normal(batch, length, width), draw.normal(inner), draw.normal(width)
    to_inner = torch.eye(width, inner, dtype=x.dtype)  # the first F of D numbers as they are
    back = to_inner.T
    none = torch.zeros_like
    seen = [
        ("b2", "all matrices and b1 are 0", b2, (x, none(to_inner), none(b1), none(back), b2)),
        (
            "max(0, b1)",
            "w1 and b2 are 0 and w2 hands the inner numbers on",
            b1.relu() @ back,
            (x, none(to_inner), b1, back, none(b2)),
        ),
        (
            "max(0, x)",
            "the biases are 0 and both matrices hand the numbers on",
            (x @ to_inner).relu() @ back,
            (x, to_inner, none(b1), back, none(b2)),
        ),
    ]
    for name, where, wanted, args in seen:
        made = function(*(arg.clone() for arg in args))
        wanted = wanted.expand(x.shape)
        if not isinstance(made, Tensor) or made.shape != wanted.shape:
            return []
        if not same(made, wanted):
            return [_told(name, where, made, wanted)]
    return []


def _told(name: str, where: str, made: Tensor, wanted: Tensor) -> str:
    sentence = f"where {where}, {name} alone should come"
    often = times(made, wanted, _SIZES)
    if often:
        return f"{sentence}, and it comes {often}"
    if not bool(made.any()):
        return f"{sentence}, and 0 comes"
    place = farthest(made, wanted)
    came, right = rows_told_apart(made[place].tolist(), wanted[place].tolist(), 2, "f")
    if same(made, made[:1, :1].expand_as(made)):
        return f"{sentence}, and ({came}) comes in place of ({right})"
    return f"{sentence}; one token gets ({came}) in place of ({right})"
