"""efficient.blockwise_attention: attention over blocks of keys, with a running maximum and a running sum."""

from __future__ import annotations

import functools
import math
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Remark, tags
from course.checking.exercise.cases import DOUBLE, FULL, SINGLE, holding
from course.checking.exercise.draw import Draw
from course.content.efficient.exercises.blockwise_attention import held, search

_OF_SIZES = {
    "a single query": "L = 1",
    "a single key": "S = 1",
    "a block of 1": "block = 1",
    "a block larger than S": "block > S",
    "no batch axis": "axes = 2",
    "more leading axes": "axes > 4",
}


def _case(
    draw: Draw,
    says: str,
    lead: tuple[int, ...],
    sizes: tuple[int, int, int, int],
    block: int,
    *names: str,
    level: float = 0.0,
    slope: float = 0.0,
    apart: float = 0.0,
    batch_apart: float = 0.0,
    **more: Any,
) -> Case:
    """`level` is added to all scores; `slope` leads from -slope at the first key to slope at the last.

    `apart` is added to the first query's scores and taken from the last one's, `batch_apart` to and from those of
    the first and the last text.
    """
    length, source, d_head, d_value = sizes
    query, key = draw.normal(*lead, length, d_head), draw.normal(*lead, source, d_head)
    value = draw.normal(*lead, source, d_value)
    root = math.sqrt(d_head)
    if level:
        query[..., 0], key[..., 0] = root, level
    if slope:
        query[..., 0], key[..., 0] = root, torch.linspace(-slope, slope, source).double()
    if apart:
        query[..., 0], key[..., 0] = 0.0, root
        query[..., 0, 0], query[..., -1, 0] = apart, -apart
    if batch_apart:
        query[..., 0], key[..., 0] = 0.0, root
        query[0, ..., 0], query[-1, ..., 0] = batch_apart, -batch_apart
    named = {"L": length, "S": source, "Dh": d_head, "Dv": d_value, "block": block}
    kind = "a single block" if block >= source else "several blocks"
    whole = "a last block that is full" if source % block == 0 else "a last block that is not full"
    names = (*names, kind, *([whole] if block < source else []))
    names = (*names, *holding(_OF_SIZES, named | {"axes": query.dim()}))
    return Case((query, key, value, block), says, named, tags(*names), **more)


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    case = functools.partial(_case, draw)
    rising, falling = "scores that rise from block to block", "scores that fall from block to block"
    high, low, apart = "scores far above 0", "scores far below 0", "scores far apart"
    return [
        case("two queries, three keys in blocks of 2", (), (2, 3, 2, 1), 2),
        case("two queries, four keys in blocks of 2", (), (2, 4, 3, 2), 2),
        case("three queries, four keys in one block", (), (3, 4, 2, 5), 4),
        case("a batch of 2, 3 heads, 7 keys in blocks of 3", (2, 3), (5, 7, 4, 6), 3),
        case("a batch of 3, 2 heads, 6 keys in blocks of 2", (3, 2), (4, 6, 9, 5), 2),
        case("5 keys in blocks of 1", (2,), (3, 5, 4, 2), 1, **FULL),
        case("5 keys in a block of 8", (2,), (3, 5, 4, 2), 8),
        case("a single query, 7 keys in blocks of 2", (2, 3), (1, 7, 4, 3), 2),
        case("a single key", (2,), (4, 1, 9, 3), 3),
        case("a single key in blocks of 1", (2,), (3, 1, 4, 2), 1),
        case("four leading axes", (1, 2, 1, 2), (2, 5, 4, 3), 3),
        case("as many keys, queries and numbers", (2, 2), (4, 4, 4, 4), 3, "sizes that are all the same"),
        case("23 keys in blocks of 5", (2,), (6, 23, 4, 7), 5, **FULL),
        case("scores that rise by 4 over 6 keys", (2,), (3, 6, 4, 5), 2, rising, slope=2.0),
        case("scores that fall by 4 over 6 keys", (2,), (3, 6, 4, 5), 2, falling, slope=-2.0),
        case("scores from -200 to 200, the largest in the last block", (2,), (3, 7, 4, 2), 2,
             rising, apart, slope=200.0, **FULL),
        case("scores from 200 to -200, the largest in the first block", (2,), (3, 7, 4, 2), 2,
             falling, apart, slope=-200.0, **FULL),
        case("scores from -2000 to 2000", (2,), (3, 5, 4, 2), 3, rising, apart, slope=2e3, **DOUBLE),
        case("scores from 2000 to -2000", (2,), (3, 5, 4, 2), 3, falling, apart, slope=-2e3, **DOUBLE),
        case("all scores near 200", (2,), (3, 5, 4, 2), 2, high, level=200.0, **FULL),
        case("all scores near -200", (2,), (3, 5, 4, 2), 2, low, level=-200.0, **FULL),
        case("all scores near 1000", (2,), (3, 5, 4, 2), 3, high, level=1e3, **DOUBLE),
        case("all scores near -1000", (2,), (3, 5, 4, 2), 3, low, level=-1e3, **DOUBLE),
        case("one query's scores near 1000, another's near -1000", (2,), (3, 6, 4, 5), 2,
             "queries whose scores are far apart", apart=1e3, **DOUBLE),
        case("one text's scores near 1000, another's near -1000", (2,), (3, 6, 4, 5), 2,
             "texts whose scores are far apart", batch_apart=1e3, **DOUBLE),
        case("10 queries, 60 keys in blocks of 4", (), (10, held.MANY, 1, 1), 4,
             **FULL),
        case("heads of width 7", (2, 2), (3, 8, 7, 6), 3, **SINGLE),
    ]  # fmt: skip


def _attended(query: Tensor, key: Tensor, value: Tensor, scale: float | None = None) -> Tensor:
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    return torch.softmax(query @ key.mT * scale, -1) @ value


def _each_block(query: Tensor, key: Tensor, value: Tensor, block: int) -> list[Tensor]:
    pairs = zip(torch.split(key, block, -2), torch.split(value, block, -2), strict=True)
    return [_attended(query, keys, values) for keys, values in pairs]


def _undivided(query: Tensor, key: Tensor, value: Tensor, block: int) -> Tensor:
    scores = query @ key.mT / math.sqrt(query.shape[-1])
    return torch.exp(scores - scores.amax(-1, keepdim=True)) @ value


def _far_below(came: Any, wanted: Any) -> bool:
    """Whether the mean of three values is not what came: their scores are equal."""
    output = came[0] if isinstance(came, tuple) else came
    return not (isinstance(output, Tensor) and bool(((output - wanted[0]).abs() < 0.1).all()))


EXERCISE = Exercise(
    id="efficient.blockwise_attention",
    signature="(query, key, value, block)",
    minutes=30,
    difficulty=3,
    cases=_cases,
    harness=held.watched,
    finds=search.search,
    results=("output", "number of scores held at a time"),
    landmarks=(
        Landmark("the mean of what attention to each block gives", lambda q, k, v, b: torch.stack(
            _each_block(q, k, v, b)).mean(0)),
        Landmark("the sum of what attention to each block gives", lambda q, k, v, b: torch.stack(
            _each_block(q, k, v, b)).sum(0)),
        Landmark("attention to the first block alone", lambda *a: _each_block(*a)[0]),
        Landmark("attention to the last block alone", lambda *a: _each_block(*a)[-1]),
        Landmark("attention with scores that are not scaled", lambda q, k, v, b: _attended(q, k, v, 1.0)),
        Landmark("the weighted mean of the keys: the value was not used", lambda q, k, v, b: _attended(q, k, k)),
        Landmark("the plain mean of all values", lambda q, k, v, b: v.mean(-2, keepdim=True).expand(
            *q.shape[:-1], v.shape[-1])),
        Landmark("the sum of exp(score - highest) times value, not yet divided by the sum of exp(score - highest)",
                  _undivided),
    ),
    axes=(("L", "Dv"),),
    remarks=(
        Remark(
            "begins-at-a-number",
            Case(
                (
                    torch.ones(1, 1, dtype=torch.float64),
                    torch.full((3, 1), -1e12, dtype=torch.float64),
                    torch.tensor([[1.0], [2.0], [6.0]], dtype=torch.float64),
                    2,
                ),
                "three keys whose scores are all -1e12",
            ),
            _far_below,
            "The running maximum begins at a number such as -1e4 or -1e9. It is right as long as some score of each "
            "query lies above it; where all lie below, every exponential is 0. -inf is below every score.",
        ),
    ),
)  # fmt: skip
