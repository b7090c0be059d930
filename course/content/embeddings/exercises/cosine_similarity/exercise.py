"""embeddings.cosine_similarity: every vector with every other."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from course.checking.exercise import (
    Case,
    Exercise,
    Landmark,
    Remark,
    directions,
    tags,
    traps,
)
from course.checking.exercise.cases import FLAT, FULL, holding
from course.checking.exercise.draw import Draw

_OF_SIZES = {
    "as many in a as in b": "N = M; N > 1",
    "as many vectors as numbers": "N = D; N > 2",
    "vectors of one number": "D = 1",
}
_VERY_SHORT = "very short vectors (is the number that guards against a length of 0 too large?)"


def _case(says: str, a: Tensor, b: Tensor, *names: str, **more: Any) -> Case:
    sizes = {"N": len(a), "M": len(b), "D": a.shape[1]}
    names = (*names, *holding(_OF_SIZES, sizes))
    if 1 in (len(a), len(b)):
        names = (*names, "one vector")
    zero = ~(a.any(1, keepdim=True) & b.any(1))
    if zero.any():
        names = (*names, "zero vectors")
        more = {"regions": {"places of zero vectors": zero}, **FLAT, **more}
        more["dtypes"] = ("float64", "float32", "bfloat16")
    return Case((a, b), says, sizes, tags(*names), **more)


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(says: str, n: int, m: int, width: int) -> Case:
        return _case(says, draw.normal(n, width), draw.normal(m, width))

    zeros, others = draw.normal(3, 4), draw.normal(5, 4)
    zeros[1] = 0.0
    others[3] = 0.0
    short, also_short = draw.normal(3, 5), draw.normal(2, 5)
    short[0] *= 2e-6 / short[0].norm()
    also_short[1] *= 3e-6 / also_short[1].norm()
    long, also_long = 30 * draw.normal(2, 6), 20 * draw.normal(4, 6)
    same = draw.normal(4, 7)
    blank, alike = torch.zeros(1, 4, dtype=torch.float64), "the same directions"
    return [
        case("two vectors with three", 2, 3, 2),
        case("four vectors with three", 4, 3, 5),
        case("one vector with one", 1, 1, 3),
        case("one vector with four", 1, 4, 6),
        case("five vectors with one", 5, 1, 2),
        case("three with three", 3, 3, 4),
        case("as many vectors as numbers", 4, 2, 4),
        case("vectors of one number", 6, 5, 1),
        _case("long vectors", long, also_long, "long vectors"),
        _case(alike, same, 3 * same[:2], alike),
        _case("very short vectors", short, also_short, _VERY_SHORT, **FLAT | FULL),
        _case("a zero vector on both sides", zeros, others),
        _case("a zero vector alone", blank, others[:2]),
    ]


EXERCISE = Exercise(
    id="embeddings.cosine_similarity",
    signature="(a, b)",
    minutes=15,
    difficulty=2,
    cases=_cases,
    finds=directions.finds,
    landmarks=(
        Landmark("the Euclidean distance", lambda a, b: torch.cdist(a, b)),
        Landmark(
            "the distance on the unit sphere",
            lambda a, b: torch.cdist(F.normalize(a, dim=-1), F.normalize(b, dim=-1)),
        ),
        Landmark("the dot products, divided by D", lambda a, b: a @ b.T / a.shape[1]),
        Landmark("the scaled dot products of attention", lambda a, b: a @ b.T / a.shape[1] ** 0.5),
        Landmark("a softmax of the dot products", lambda a, b: (a @ b.T).softmax(-1)),
        Landmark(
            "a softmax of the similarities",
            lambda a, b: (F.normalize(a, dim=-1) @ F.normalize(b, dim=-1).T).softmax(-1),
        ),
    ),
    axes=(("N", "M"),),
    remarks=(
        Remark(
            "nan-gradient-at-a-zero-vector",
            Case(
                (
                    torch.tensor([[3.0, 4.0], [0.0, 0.0]], dtype=torch.float64),
                    torch.tensor([[1.0, 2.0], [0.0, 0.0]], dtype=torch.float64),
                ),
                "a zero vector on both sides",
            ),
            traps.not_finite,
            "For a zero vector it returns 0, but the gradient that flows back into that vector is NaN: the root "
            "of 0 has an infinite slope, and what is replaced after a division by 0 is replaced too late. "
            "Where a layer that is trained on such similarities gives one zero vector, all of its weights are "
            "NaN after the next step. `a.norm(...)` with a smallest length, before the division, avoids it.",
            mode="gradient",
        ),
    ),
)
