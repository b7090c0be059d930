"""efficient.packed_mask: which tokens may not look at one another where several texts share a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.cases import holding
from course.content.efficient.exercises.packed_mask import search

_OF_SIZES = {
    "a single row": "B = 1",
    "rows of one place": "S = 1",
    "as many rows as places": "B = S",
}


def _case(says: str, rows: Sequence[Sequence[int]], *names: str, **more: Any) -> Case:
    documents = torch.tensor(rows, dtype=more.pop("dtype", torch.int64))
    sizes = {"B": len(rows), "S": len(rows[0])}
    names = (*names, *holding(_OF_SIZES, sizes))
    real = documents >= 0
    names = (*names, "no padding" if bool(real.all()) else "padding")
    if not bool(real.any(dim=1).all()):
        names = (*names, "a row that is all padding")
    return Case((documents,), says, sizes, tags(*names), **more)


def _cases(seed: int) -> list[Case]:
    draw = torch.Generator().manual_seed(seed + 4)
    drawn = torch.randint(-1, 4, (3, 9), generator=draw).tolist()
    drawn[0][:4], drawn[1][:3] = [2, 2, -1, 0], [3, 1, 3]  # what a case must have at least
    apart, middle = "a document that stands in two parts", "padding before a real token"
    unsorted, gaps = "ids that do not rise", "ids with gaps between them"
    return [
        _case("one row, documents 0 0 1", [[0, 0, 1]]),
        _case("documents 0 0 1 and two places of padding", [[0, 0, 1, -1, -1]]),
        _case("two rows", [[0, 0, 1, 1], [0, 1, 1, 2]]),
        _case("two rows with padding", [[0, 0, 1, 1, -1], [0, 1, 1, -1, -1]]),
        _case("three rows, one document each", [[0, 0, 0, 0], [0, 0, -1, -1], [0, 0, 0, -1]], "one document a row"),
        _case("one document, no padding", [[0, 0, 0], [0, 0, 0]], "one document a row"),
        _case("a document for each token", [[0, 1, 2, 3]], "one token a document"),
        _case("ids 5, 2 and 9", [[5, 5, 2, 9, 9], [9, 2, 2, 5, -1]], unsorted, gaps),
        _case("ids in the thousands", [[7000, 7000, 3, -1], [3, 7000, 7001, 7001]], unsorted, gaps),
        _case("the ids 3 and 3 + 2^32", [[3, 3 + 2**32, 3 + 2**32], [3 + 2**32, 3, -1]], unsorted, "ids beyond int32"),
        _case("the ids 3 and 259", [[3, 259, 259, -1]], gaps),
        _case("neighbours with the ids 0 and 4", [[0, 4, 4, 8, 8, 8]], gaps),
        _case("one document in two parts", [[0, 1, 0, 0], [2, 0, 2, -1]], apart, unsorted),
        _case("padding between documents", [[0, 0, -1, 1, 1], [0, -1, 1, 1, -1]], middle),
        _case("padding at the left", [[-1, -1, 0, 1], [-1, 0, 0, 0], [0, 1, 1, 2]], middle),
        _case("a row that is all padding", [[0, 1, 1], [-1, -1, -1]]),
        _case("everything padded", [[-1, -1], [-1, -1], [-1, -1]], "nothing but padding"),
        _case("rows of one place", [[0], [-1], [3]]),
        _case("as many rows as places", [[0, 0, 1], [0, 1, -1], [1, 0, 0]], unsorted),
        _case("documents as int32", [[0, 0, 1, -1], [1, 1, 0, 0]], unsorted, dtype=torch.int32),
        _case("three rows of nine places", drawn, apart, middle, unsorted),
    ]  # fmt: skip


def _same(documents: Tensor) -> Tensor:
    return documents[:, :, None] == documents[:, None, :]


def _padded(documents: Tensor) -> Tensor:
    padding = documents < 0
    return padding[:, :, None] | padding[:, None, :]


EXERCISE = Exercise(
    id="efficient.packed_mask",
    signature="(documents)",
    minutes=12,
    difficulty=2,
    cases=_cases,
    finds=search.search,
    landmarks=(
        Landmark("the mask without the padding", lambda d: ~_same(d)),
        Landmark("the padding alone, without the documents", _padded),
        Landmark(
            "a causal mask as well", lambda d: (~_same(d) | _padded(d)) | torch.ones_like(_same(d)).triu(1)
        ),
        Landmark("the mask of padding as keys alone", lambda d: ~_same(d) | (d < 0)[:, None, :]),
    ),
    axes=(("B", "S", "S"),),
)  # fmt: skip
