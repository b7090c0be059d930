"""attention.scores: the scaled scores."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.cases import SINGLE, holding
from course.checking.exercise.draw import Draw

_OF_SIZES = {
    "no batch axis": "axes = 2",
    "a batch and heads": "axes = 4",
    "more leading axes": "axes > 4",
    "a single query": "L = 1",
    "a single key": "S = 1",
    "as many queries as keys": "L = S",
}


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(says: str, *shape: int, names: tuple[str, ...] = (), **more: Any) -> Case:
        *lead, length, source, d_head = shape
        query, key = draw.normal(*lead, length, d_head), draw.normal(*lead, source, d_head)
        sizes = {"Dh": d_head, "L": length, "S": source}
        names = (*names, *holding(_OF_SIZES, sizes | {"axes": query.dim()}))
        return Case((query, key), says, sizes, tags(*names), **more)

    # Roots of 4, 9 and 16 are exact in float32: in float64 nobody fails for taking the root of a
    # float32 tensor. Roots that are not whole are tried in float32.
    example = ("the chapter's example",)
    return [
        case("two queries, three keys of width 4", 2, 3, 4),
        case("one sentence of 5 queries and 6 keys, width 9", 1, 5, 6, 9),
        case("a batch of 2, 3 heads, 5 queries, 7 keys, width 16", 2, 3, 5, 7, 16),
        case("a batch of 3, 4 queries, 4 keys, width 4", 3, 4, 4, 4),
        case("two heads, 6 tokens, width 32", 1, 2, 6, 6, 32, names=example, **SINGLE),
        case("a batch of 4, 4 queries, 4 keys, width 4", 4, 4, 4, 4),
        case("a batch of 2, a single query, 5 keys, width 4", 2, 1, 5, 4),
        case("a batch of 2, 4 queries, a single key, width 9", 2, 4, 1, 9),
        case("five leading axes", 1, 2, 1, 2, 2, 3, 2, 9),
        case("a batch of 2, 3 queries, 5 keys, width 7", 2, 3, 5, 7, **SINGLE),
    ]


EXERCISE = Exercise(
    id="attention.scores",
    signature="(query, key)",
    minutes=10,
    difficulty=1,
    cases=_cases,
    landmarks=(
        Landmark(
            "the weights: a softmax has already been taken",
            lambda q, k: torch.softmax(q @ k.mT / math.sqrt(q.shape[-1]), -1),
        ),
        Landmark(
            "the cosine of query and key, which forgets their lengths",
            lambda q, k: _unit(q) @ _unit(k).mT,
        ),
        Landmark(
            "the cosine, scaled", lambda q, k: _unit(q) @ _unit(k).mT / math.sqrt(q.shape[-1])
        ),
        Landmark(
            "the scores of vectors whose mean was taken out",
            lambda q, k: (
                (q - q.mean(-1, True)) @ (k - k.mean(-1, True)).mT / math.sqrt(q.shape[-1])
            ),
        ),
        Landmark("the distances between queries and keys", lambda q, k: torch.cdist(q, k)),
        Landmark(
            "the distances between queries and keys, with a minus sign and divided by the root",
            lambda q, k: -torch.cdist(q, k) / math.sqrt(q.shape[-1]),
        ),
        Landmark(
            "the queries' products with one another", lambda q, k: q @ q.mT / math.sqrt(q.shape[-1])
        ),
        Landmark(
            "the keys' products with one another", lambda q, k: k @ k.mT / math.sqrt(q.shape[-1])
        ),
    ),
    axes=(("L", "S"),),
)


def _unit(x: Tensor) -> Tensor:
    return torch.nn.functional.normalize(x, dim=-1)
