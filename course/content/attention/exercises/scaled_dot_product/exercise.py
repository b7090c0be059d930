"""attention.scaled_dot_product: scaled dot-product attention."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Remark, tags, traps
from course.checking.exercise.cases import DOUBLE, FLAT, FULL, SINGLE, holding
from course.checking.exercise.draw import Draw
from course.content.attention.exercises import shares

INF = float("inf")
Attention = Callable[[Tensor, Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor]]


_SECOND = "two queries, two keys; the second query may look at nothing"
NOTHING = torch.tensor([[False, False], [True, True]])
_OF_SIZES = {
    "a single query": "L = 1",
    "a single key": "S = 1",
    "no batch axis": "axes = 2",
    "more leading axes": "axes > 5",
}


def _case(
    draw: Draw,
    says: str,
    lead: tuple[int, ...],
    sizes: tuple[int, int, int, int],
    mask: Tensor | None,
    *names: str,
    far: float = 0.0,
    tempting: float = 0.0,
    apart: float = 0.0,
    longer: float = 1.0,
    **more: Any,
) -> Case:
    length, source, d_head, d_value = sizes
    query, key = draw.normal(*lead, length, d_head), draw.normal(*lead, source, d_head)
    if far:  # one column adds the same, far below 0, to all scores
        query[..., 0], key[..., 0] = far, -far
    query = query * longer
    if apart:  # ... or that in one of the sequences alone
        query[-1:, :, 0], key[-1:, :, 0] = apart, -apart
    if tempting:  # ... or makes the blocked keys fit far better than the others
        assert mask is not None
        query[..., 0], key[..., 0] = tempting, mask.double() * tempting
    value = draw.normal(*lead, source, d_value)
    named = {"Dh": d_head, "L": length, "S": source, "Dv": d_value}
    names = (*names, *holding(_OF_SIZES, named | {"axes": query.dim()}))
    if mask is None:
        return Case((query, key, value), says, named, tags("no mask", *names), **more)
    full = torch.broadcast_to(mask, (*lead, length, source))
    idle = full.all(dim=-1, keepdim=True)
    unseen = full.all(dim=-2).unsqueeze(-1)  # (..., S, 1): keys that no query may look at
    if idle.any():
        names = (*names, "a query that may look at nothing")
        more = {"regions": {"queries that may look at nothing": idle}, **FLAT, **more}
    if unseen.any():
        other = (query, key.masked_fill(unseen, 3.0), value.masked_fill(unseen, -5.0), mask)
        more["same"] = [("the keys and values that no query may look at were changed", other)]
    return Case((query, key, value, mask), says, named, tags("a mask", *names), **more)


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    case = functools.partial(_case, draw)
    full_row = draw.mask(2, 3, 5, 6)
    full_row[1, 2, 3] = True
    padding = torch.arange(6) >= torch.tensor([4, 6, 1]).reshape(3, 1, 1, 1)  # (B, 1, 1, S)
    all_padding = torch.arange(5) >= torch.tensor([[[3]], [[0]]])  # (B, 1, S), the second all of it
    causal = torch.ones(5, 5, dtype=torch.bool).triu(1)
    itself = torch.eye(4, dtype=torch.bool)
    of_keys = torch.tensor([False, True, False, False, True])
    own, fewer = "a mask for every head", "a mask with fewer axes"
    square, alone = "as many queries as keys", "a mask without batch and heads"
    apart, low, example = "scores far apart", "scores far below 0", "the chapter's example"
    same_for_all = "a mask (H, L, S), the same for every sequence"
    by_chance = "a mask (L, S) with as many queries as sequences"
    fits = "a blocked key that fits far better than the others"
    fits_better = "a blocked key whose score is higher by 2000"
    all_low = "all scores near -200000"
    near_and_far = "one sequence's scores are near 0, the other's near -2000"
    long = "queries five times as long as usual, so that some weights are small"
    return [
        case("two queries, three keys, no mask", (), (2, 3, 4, 5), None),
        case("two queries, three keys, a mask", (), (2, 3, 4, 2), draw.mask(2, 3)),
        case("a batch of 2, 3 heads, no mask", (2, 3), (5, 7, 9, 4), None, "a batch and heads"),
        case(_SECOND, (), (2, 2, 1, 1), NOTHING),
        case("a causal mask (L, S)", (2, 3), (5, 5, 4, 6), causal, alone, square),
        case("a padding mask (B, 1, 1, S)", (3, 2), (4, 6, 16, 3), padding, "a padding mask"),
        case("a mask for every head", (2, 3), (4, 7, 9, 5), draw.mask(2, 3, 4, 7), own),
        case("one query may look at nothing", (2, 3), (5, 6, 4, 3), full_row),
        case("one sequence is padding only", (2,), (3, 5, 9, 4), all_padding, "a padding mask"),
        case("one mask (S,) for everything", (2, 3), (4, 5, 9, 2), of_keys, fewer),
        case(same_for_all, (2, 3), (4, 5, 4, 6), draw.mask(3, 4, 5), own, fewer),
        case(by_chance, (2, 3), (2, 5, 4, 3), draw.mask(2, 5), fewer),
        case(fits, (2,), (3, 4, 4, 2), of_keys[:4], fewer, apart, tempting=632.0, **DOUBLE),
        case(fits_better, (2,), (3, 4, 4, 2), of_keys[:4], fewer, apart, tempting=63.3, **DOUBLE),
        case("a single query", (2, 3), (1, 5, 4, 3), None),
        case("a single key", (2,), (4, 1, 9, 3), None),
        case("four leading axes", (1, 2, 1, 2), (2, 4, 4, 3), draw.mask(2, 4, blocked=0.3)),
        case(all_low, (2,), (3, 4, 4, 2), draw.mask(2, 3, 4), low, far=632.0, **DOUBLE),
        case(near_and_far, (2,), (3, 4, 4, 2), None, apart, apart=63.3, **DOUBLE),
        case(long, (2, 2), (4, 6, 4, 3), draw.mask(4, 6), "small weights", longer=5.0, **FULL),
        case("no token may look at itself", (2,), (4, 4, 4, 4), itself, square, alone),
        case("two heads of width 32", (1, 2), (6, 6, 32, 32), None, example, square, **SINGLE),
        case("heads of width 7", (2, 2), (3, 5, 7, 6), draw.mask(3, 5), **SINGLE),
    ]


def _masked_scores(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    raw = query @ key.mT / math.sqrt(query.shape[-1])
    return raw if mask is None else raw.masked_fill(mask, -INF)


def plain_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Attention in torch's own functions, to compute landmarks with; returns what is asked."""
    raw = _masked_scores(query, key, value, mask)
    weights = torch.softmax(raw, -1).nan_to_num(0.0)
    return weights @ value, weights


def _causal(query: Tensor, key: Tensor) -> Tensor:
    length, source = query.shape[-2], key.shape[-2]
    return torch.ones(length, source, dtype=torch.bool).triu(1)


def _both(output: str, weights: str, compute: Attention) -> tuple[Landmark, Landmark]:
    """An output and its weights."""
    return (
        Landmark(output, lambda q, k, v, mask=None: compute(q, k, v, mask)[0]),
        Landmark(weights, lambda q, k, v, mask=None: compute(q, k, v, mask)[1]),
    )


def _cosine(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor]:
    unit, other = (torch.nn.functional.normalize(x, dim=-1) for x in (query, key))
    return plain_attention(unit * math.sqrt(query.shape[-1]), other, value, mask)


def _hard(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    weights = plain_attention(query, key, value, mask)[1]
    best = torch.nn.functional.one_hot(weights.argmax(-1), weights.shape[-1]).to(weights.dtype)
    return best @ value, best


def _finds(function: Callable[..., Any], failed: Sequence[Case]) -> list[str]:
    """The weights of plain scores: one query of width 1 whose products with the keys are the scores."""

    def weights(row: Tensor, dim: int) -> Tensor:
        one = torch.ones(1, 1, dtype=row.dtype)
        return cast("Tensor", function(one, row.unsqueeze(-1), row.unsqueeze(-1))[1].squeeze(0))

    said = shares.finds(weights, failed)
    return [f"the weights of a query 1 and keys x, all of width 1: {sentence}" for sentence in said]


EXERCISE = Exercise(
    id="attention.scaled_dot_product",
    signature="(query, key, value, mask=None)",
    minutes=20,
    difficulty=2,
    cases=_cases,
    finds=_finds,
    results=("output", "weights"),
    landmarks=(
        Landmark("the scores, scaled and masked, before the softmax", _masked_scores),
        Landmark(
            "the plain mean of all values",
            lambda q, k, v, mask=None: v.mean(-2, keepdim=True).expand(*q.shape[:-1], v.shape[-1]),
        ),
        Landmark(
            "the sum of the values, not their weighted mean",
            lambda q, k, v, mask=None: v.sum(-2, keepdim=True).expand(*q.shape[:-1], v.shape[-1]),
        ),
        Landmark(
            "the weighted mean of the keys: the value was not used",
            lambda q, k, v, mask=None: plain_attention(q, k, k, mask)[0],
        ),
        *_both(
            "what comes without the mask",
            "the weights without the mask",
            lambda q, k, v, mask: plain_attention(q, k, v),
        ),
        *_both(
            "what the mask gives the other way round (True for what takes part, as in "
            "`F.scaled_dot_product_attention`)",
            "the weights with the mask the other way round (True for what takes part)",
            lambda q, k, v, mask: plain_attention(q, k, v, None if mask is None else ~mask),
        ),
        *_both(
            "what a causal mask gives, whatever the mask is",
            "the weights of a causal mask, whatever the mask is",
            lambda q, k, v, mask: plain_attention(q, k, v, _causal(q, k)),
        ),
        Landmark(
            "the output of products that were not divided by the root of d_k",
            lambda q, k, v, mask=None: plain_attention(q * math.sqrt(q.shape[-1]), k, v, mask)[0],
        ),
        *_both(
            "what cosines give in place of scores: query and key were brought to length 1",
            "the weights of cosines in place of scores: query and key were brought to length 1",
            _cosine,
        ),
        Landmark(
            "the weights themselves, where the output should be",
            lambda q, k, v, mask=None: plain_attention(q, k, v, mask)[1],
        ),
        *_both(
            "the value of the best key alone: an argmax instead of a softmax",
            "the weight 1 for the best key: an argmax instead of a softmax",
            _hard,
        ),
    ),
    axes=(("L", "Dv"), ("L", "S")),
    rows_sum_to_one=1,
    remarks=(
        Remark(
            traps.IDLE_QUERY,
            _case(Draw(0), _SECOND, (), (2, 2, 2, 2), NOTHING, differentiable=True),
            traps.not_finite,
            traps.SAYS_OF_IDLE_QUERY,
            mode="gradient",
        ),
    ),
)
