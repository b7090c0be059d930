"""translation.additive_attention: Bahdanau's attention, a small network that scores each place."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Remark, tags, traps
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
    return hidden.tanh() @ v


def _attended(scores: Tensor, memory: Tensor, *mask: Tensor) -> tuple[Tensor, Tensor]:
    for padding in mask:
        scores = scores.masked_fill(padding, -torch.inf)
    weights = scores.softmax(-1).nan_to_num(0.0)
    return (weights.unsqueeze(1) @ memory).squeeze(1), weights


def _both(context: str, weights: str, compute: Any) -> tuple[Landmark, Landmark]:
    """A context and its weights."""
    return (
        Landmark(context, lambda *args: compute(*args)[0]),
        Landmark(weights, lambda *args: compute(*args)[1]),
    )


def _finds(function: Callable[..., Any], failed: Sequence[Case]) -> list[str]:
    """The hidden layer of one unit: scores of plain numbers, read off the weights of two places."""
    one = torch.ones(1, 1, dtype=torch.float64)
    memory = torch.tensor([[[0.0], [1.0]]], dtype=torch.float64)

    def ratio(query: float, v: float) -> float:
        """The difference of the two scores, that of memory 1 less that of memory 0."""
        with torch.no_grad():
            weights = function(query * one, memory.clone(), one.clone(), one.clone(), v * one[0])[1]
        return float((weights[0, 1] / weights[0, 0]).log())

    for query, v in ((0.0, 1.0), (0.0, 2.0), (1.0, 1.0), (-0.5, 1.0)):
        try:
            came = ratio(query, v)
        except Exception:
            return []
        wanted = v * (math.tanh(query + 1) - math.tanh(query))
        if not math.isclose(came, wanted, rel_tol=1e-6, abs_tol=1e-9):
            return [
                f"with all widths 1, all weights 1, v = {v:g}, the query {query:g} and a memory of 0 and 1, the second "
                f"score should be {v:g} (tanh({query + 1:g}) - tanh({query:g})) = {wanted:.4f} larger than the first; "
                f"by your weights it is {came:.4f} larger"
            ]
    return []


EXERCISE = Exercise(
    id="translation.additive_attention",
    signature="(query, memory, w_query, w_memory, v, memory_padding_mask=None)",
    minutes=15,
    difficulty=2,
    cases=_cases,
    finds=_finds,
    results=("context", "weights"),
    landmarks=(
        Landmark("the scores, before the softmax", _scores),
        *_both(
            "the context that comes without the mask",
            "the weights without the mask",
            lambda *a: _attended(_scores(*a), a[1]),
        ),
        *_both(
            "the context that the mask gives the other way round",
            "the weights with the mask the other way round",
            lambda *a: _attended(_scores(*a), a[1], *(~mask for mask in a[5:])),
        ),
        *_both(
            "the context of the scores without a tanh",
            "the weights of the scores without a tanh",
            lambda *a: _attended(
                ((a[0] @ a[2].T).unsqueeze(1) + a[1] @ a[3].T) @ a[4], a[1], *a[5:]
            ),
        ),
        *_both(
            "the context of products of query and memory, which are to be added",
            "the weights of products of query and memory, which are to be added",
            lambda *a: _attended(
                ((a[0] @ a[2].T).unsqueeze(1) * (a[1] @ a[3].T)).tanh() @ a[4], a[1], *a[5:]
            ),
        ),
        *_both(
            "the context of the memory's own scores: the query was not used",
            "the weights of the memory's own scores: the query was not used",
            lambda *a: _attended(_scores(0 * a[0], *a[1:]), a[1], *a[5:]),
        ),
        Landmark("the plain mean of the memory", lambda *a: a[1].mean(1)),
        Landmark("the plain sum of the memory", lambda *a: a[1].sum(1)),
    ),
    axes=(("B", "M"), ("B", "S")),
    rows_sum_to_one=1,
    remarks=(
        Remark(
            traps.IDLE_QUERY,
            _case(
                Draw(0), "one memory is all padding", (2, 2, 3, 2, 2), [2, 0], differentiable=True
            ),
            traps.not_finite,
            "A memory of padding alone gives the right result, but the gradients that flow back to the inputs are "
            "NaN: 0/0 is computed on the way and replaced afterwards. In training, one such text makes NaN of all "
            "weights with the next step. Let no row of scores be -inf throughout.",
            mode="gradient",
        ),
    ),
)
