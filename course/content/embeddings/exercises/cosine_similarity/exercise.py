"""embeddings.cosine_similarity: every vector with every other."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from course.checking.exercise import (
    Case,
    Exercise,
    Landmark,
    Remark,
    directions,
    tags,
    traps,
)
from course.checking.exercise.draw import Draw


def _cosine_cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(n: int, m: int, width: int, says: str, *names: str) -> Case:
        sizes = {"N": n, "M": m, "D": width}
        return Case((draw.normal(n, width), draw.normal(m, width)), says, sizes, tags(*names))

    zeros, others = draw.normal(3, 4), draw.normal(5, 4)
    zeros[1] = 0.0
    others[3] = 0.0
    short, also_short = draw.normal(3, 5), draw.normal(2, 5)
    short[0] *= 2e-6 / short[0].norm()
    also_short[1] *= 3e-6 / also_short[1].norm()
    long, also_long = 30 * draw.normal(2, 6), 20 * draw.normal(4, 6)
    same = draw.normal(4, 7)
    blank = torch.zeros(1, 4, dtype=torch.float64)
    return [
        case(2, 3, 2, "two vectors with three"),
        case(4, 3, 5, "four vectors with three"),
        case(1, 1, 3, "one vector with one", "one vector"),
        case(1, 4, 6, "one vector with four", "one vector"),
        case(5, 1, 2, "five vectors with one", "one vector"),
        case(3, 3, 4, "three with three", "as many in a as in b"),
        case(4, 2, 4, "as many vectors as numbers", "as many vectors as numbers"),
        case(6, 5, 1, "vectors of one number", "vectors of one number"),
        Case((long, also_long), "long vectors", {"N": 2, "M": 4, "D": 6}, tags("long vectors")),
        Case(
            (same, 3 * same[:2]),
            "the same directions",
            {"N": 4, "M": 2, "D": 7},
            tags("the same directions"),
        ),
        Case(
            (short, also_short),
            "very short vectors",
            {"N": 3, "M": 2, "D": 5},
            tags("very short vectors (is the number that guards against a length of 0 too large?)"),
            dtypes=("float64", "float32"),
            differentiable=False,
        ),
        Case(
            (zeros, others),
            "a zero vector on both sides",
            {"N": 3, "M": 5, "D": 4},
            tags("zero vectors"),
            dtypes=("float64", "float32", "bfloat16"),
            differentiable=False,
            regions={"places of zero vectors": ~(zeros.any(1, keepdim=True) & others.any(1))},
        ),
        Case(
            (blank, others[:2]),
            "a zero vector alone",
            {"N": 1, "M": 2, "D": 4},
            tags("zero vectors", "one vector"),
            dtypes=("float64", "float32", "bfloat16"),
            differentiable=False,
            regions={"places of zero vectors": torch.ones(1, 2, dtype=torch.bool)},
        ),
    ]


EXERCISE = Exercise(
    id="embeddings.cosine_similarity",
    signature="(a, b)",
    minutes=15,
    difficulty=2,
    cases=_cosine_cases,
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
