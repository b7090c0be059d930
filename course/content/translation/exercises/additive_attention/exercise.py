"""translation.additive_attention: Bahdanau's attention, a small network that scores each place."""

from __future__ import annotations

import functools
import math
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, tags
from course.checking.exercise.cases import DOUBLE, FLAT, SINGLE, holding
from course.checking.exercise.draw import Draw

_OF_SIZES = {
    "a single text": "B = 1",
    "a memory of one token": "S = 1",
    "query and memory of one width": "Q = M",
    "all widths the same": "Q = M; M = A",
}


def _case(
    draw: Draw,
    says: str,
    sizes: tuple[int, int, int, int, int],
    lengths: list[int] | None,
    *names: str,
    scale: float = 1.0,
    first: bool = False,
    **more: Any,
) -> Case:
    batch, source, wide, deep, inner = sizes  # B, S, Q, M, A
    query, memory = draw.normal(batch, wide), draw.normal(batch, source, deep)
    w_query = draw.normal(inner, wide) / math.sqrt(wide)
    w_memory = draw.normal(inner, deep) / math.sqrt(deep)
    args: tuple[Any, ...] = (query, memory, w_query, w_memory, scale * draw.normal(inner))
    named = {"B": batch, "S": source, "Q": wide, "M": deep, "A": inner}
    names = (*names, *holding(_OF_SIZES, named))
    if lengths is None:
        return Case(args, says, named, tags("no mask", *names), **more)
    real = torch.arange(source) < torch.tensor(lengths).unsqueeze(1)  # (B, S)
    padding = ~(real.flip(1) if first else real)
    other = (query, memory.masked_fill(padding.unsqueeze(-1), 4.0), *args[2:], padding)
    more["same"] = [("the memory at its padding was changed", other)]
    empty = padding.all(dim=1, keepdim=True)  # (B, 1)
    if empty.any():
        names = (*names, "a memory that is all padding")
        more = {**FLAT, "regions": {"texts whose memory is all padding": empty}, **more}
    return Case((*args, padding), says, named, tags("padding in the memory", *names), **more)


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    case = functools.partial(_case, draw)
    far = "scores far apart"
    return [
        case("one text, a memory of 2 tokens", (1, 2, 1, 2, 2), None),
        case("2 texts, a memory of 4 tokens", (2, 4, 3, 5, 6), None),
        case("a query wider than the memory", (3, 5, 7, 4, 6), None),
        case("padding at the end of the memory", (3, 5, 4, 6, 7), [5, 2, 3]),
        case("padding at the beginning of the memory", (2, 6, 3, 4, 5), [4, 1], "padding first", first=True),
        case("a mask without any padding", (2, 4, 3, 5, 6), [4, 4], "a mask without padding"),
        case("one memory is all padding", (3, 4, 5, 6, 2), [3, 0, 2]),
        case("query and memory of one width", (2, 3, 5, 5, 4), [3, 2]),
        case("all widths the same", (2, 3, 4, 4, 4), None),
        case("as many texts as tokens and widths", (3, 3, 3, 3, 3), [1, 3, 2], "sizes that are all the same"),
        case("a memory of one token", (2, 1, 3, 4, 5), None),
        case("a hidden layer of width 1", (2, 4, 3, 5, 1), [4, 2], "A = 1"),
        case("scores in the thousands", (2, 4, 3, 5, 6), None, far, scale=900.0, **DOUBLE),
        case("scores in the thousands, and padding", (3, 5, 3, 4, 6), [5, 2, 4], far, scale=900.0, **DOUBLE),
        case("a memory of 9 tokens", (2, 9, 6, 8, 10), [7, 9], **SINGLE),
    ]  # fmt: skip


def _scores(
    query: Tensor, memory: Tensor, w_query: Tensor, w_memory: Tensor, v: Tensor, *mask: Tensor
) -> Tensor:
    hidden = (query @ w_query.T).unsqueeze(1) + memory @ w_memory.T
    return hidden.tanh() @ v  # fmt: skip


def _attended(scores: Tensor, memory: Tensor, *mask: Tensor) -> tuple[Tensor, Tensor]:
    for padding in mask:
        scores = scores.masked_fill(padding, -torch.inf)
    weights = scores.softmax(-1).nan_to_num(0.0)
    return (weights.unsqueeze(1) @ memory).squeeze(1), weights


EXERCISE = Exercise(
    id="translation.additive_attention",
    signature="(query, memory, w_query, w_memory, v, memory_padding_mask=None)",
    minutes=15,
    difficulty=2,
    cases=_cases,
    results=("context", "weights"),
    axes=(("B", "M"), ("B", "S")),
    rows_sum_to_one=1,
)
