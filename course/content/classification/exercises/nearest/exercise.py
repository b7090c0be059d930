"""classification.nearest: the documents that point where a query points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Remark, tags, traps
from course.checking.exercise.cases import FLAT, FULL, holding
from course.checking.exercise.draw import Draw

_OF_SIZES = {
    "a single query": "Q = 1",
    "as many queries as documents": "Q = N; Q > 1",
    "all documents asked for": "count = N; N > 1",
    "a single document asked for": "count = 1",
    "as many documents as numbers in each": "N = D; N > 2",
}
_NO_FLOAT16 = ("float64", "float32", "bfloat16")


def _case(
    says: str, query: Tensor, documents: Tensor, count: int, *names: str, **more: Any
) -> Case:
    sizes = {"Q": len(query), "N": len(documents), "D": query.shape[1], "count": count}
    names = (*names, *holding(_OF_SIZES, sizes))
    if not (query.any(1).all() and documents.any(1).all()):
        names, more = (*names, "zero vectors"), {**FLAT, "dtypes": _NO_FLOAT16, **more}
    return Case((query, documents, count), says, sizes, tags(*names), **more)


def _cosines(query: Tensor, documents: Tensor) -> Tensor:
    return F.normalize(query, dim=-1) @ F.normalize(documents, dim=-1).T


def _apart(draw: Draw, queries: int, count: int, width: int, gap: float) -> tuple[Tensor, Tensor]:
    """Queries and documents of very different lengths, whose cosines are at least `gap` apart."""
    while True:
        query, documents = draw.normal(queries, width), draw.normal(count, width)
        ordered = _cosines(query, documents).sort(-1).values
        if bool((ordered.diff(dim=-1) > gap).all()):
            break
    lengths = torch.tensor([0.25, 8.0, 1.0, 3.0, 0.5])[torch.arange(count) % 5].double()
    return 2 * query, documents * lengths.unsqueeze(-1)


def _tied(value: Any, query: Tensor, documents: Tensor, count: int) -> Mapping[str, float]:
    """What holds of a result whatever the order among equal similarities."""
    similarities, indices = value
    cosines = _cosines(query.double(), documents.double())
    claimed = cosines.gather(-1, indices)
    return {
        "the sum of all similarities": float(similarities.sum()),
        "the largest gap between a similarity and its document's cosine": float(
            (similarities - claimed).abs().max()
        ),
        "the number of different documents": float(
            sum(len(row.unique()) for row in indices) / len(indices)
        ),
        "the largest step upwards in a row of similarities": float(
            similarities.diff(dim=-1).clamp(min=0).max() if count > 1 else 0.0
        ),
    }


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(says: str, sizes: tuple[int, int, int], count: int, gap: float = 0.06) -> Case:
        return _case(says, *_apart(draw, *sizes, gap), count)

    with_zero = _with_zero(draw)
    asked, tied = _apart(draw, 2, 4, 5, 0.06)
    twice = torch.cat([tied, 3 * tied[1:3], tied[:1]])
    blank = torch.stack([torch.zeros(5).double(), asked[0]])
    short_query, short = _apart(draw, 2, 5, 4, 0.06)
    short = short * (2e-6 / short[2].norm())
    statistics = {"summary": _tied, "tolerance": 2e-2, **FLAT, **FULL}
    return [
        case("2 queries, 3 documents, the best 2", (2, 3, 4), 2),
        case("a single query, 5 documents, the best 3", (1, 5, 3), 3),
        case("3 queries, 6 documents, the best one", (3, 6, 5), 1, 0.03),
        case("4 queries, 4 documents, all of them", (4, 4, 6), 4, 0.03),
        case("2 queries, 5 documents of width 5", (2, 5, 5), 3),
        case("one query, one document", (1, 1, 3), 1),
        _case("3 queries, 30 documents", *_apart(draw, 3, 30, 24, 1e-5), 7, **FULL),
        _case("a document of zeros", *with_zero, 5),
        _case("documents of lengths near 1e-6", short_query, short, 3, "short vectors", **FULL),
        _case("documents with equal similarities", asked, twice, 4, "ties", **statistics),
        _case("a query of zeros", blank, twice, 3, "ties", **statistics),
    ]


def _with_zero(draw: Draw) -> tuple[Tensor, Tensor]:
    """Five documents, one of them zeros, with cosines that are well apart, 0 counted."""
    while True:
        query, documents = _apart(draw, 2, 5, 4, 0.06)
        documents[3] = 0.0
        if bool((_cosines(query, documents).sort(-1).values.diff(dim=-1) > 0.06).all()):
            return query, documents


EXERCISE = Exercise(
    id="classification.nearest",
    signature="(query, documents, count)",
    minutes=10,
    difficulty=2,
    cases=_cases,
    results=("similarities", "indices"),
    axes=(("Q", "count"), ("Q", "count")),
    landmarks=(
        Landmark(
            "the best dot products, not cosines",
            lambda q, d, n: tuple((q @ d.T).topk(n, -1)),
        ),
    ),
    remarks=(
        Remark(
            "nan-gradient-at-a-zero-vector",
            Case(
                (
                    torch.tensor([[1.0, 2.0]], dtype=torch.float64),
                    torch.tensor([[3.0, 4.0], [0.0, 0.0]], dtype=torch.float64),
                    2,
                ),
                "one of two documents is zeros",
            ),
            traps.not_finite,
            "A document of zeros gets the similarity 0, but the gradient that flows back into it is NaN: it was "
            "divided by its length 0, and what is replaced afterwards is replaced too late. `F.normalize`, or a "
            "smallest length before the division, avoids it.",
            mode="gradient",
        ),
    ),
)
