"""attention.scaled_dot_product: scaled dot-product attention."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Remark, tags, traps
from course.checking.exercise.draw import Draw
from course.content.attention.exercises import shares

INF = float("inf")


def _attention_case(
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
    if mask is None:
        return Case((query, key, value), says, named, tags("no mask", *names), **more)
    full = torch.broadcast_to(mask, (*lead, length, source))
    idle = full.all(dim=-1, keepdim=True)
    unseen = full.all(dim=-2).unsqueeze(-1)  # (..., S, 1): keys that no query may look at
    regions = {"queries that may look at nothing": idle} if idle.any() else {}
    same: list[tuple[str, tuple[Any, ...]]] = []
    if unseen.any():
        other = (query, key.masked_fill(unseen, 3.0), value.masked_fill(unseen, -5.0), mask)
        same.append(("the keys and values that no query may look at were changed", other))
    return Case(
        (query, key, value, mask),
        says,
        named,
        tags("a mask", *names),
        regions=regions,
        same=same,
        **more,
    )


def _scaled_dot_product_cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    full_row = draw.mask(2, 3, 5, 6)
    full_row[1, 2, 3] = True
    padding = torch.arange(6) >= torch.tensor([4, 6, 1]).reshape(3, 1, 1, 1)  # (B, 1, 1, S)
    padding_only = torch.arange(5) >= torch.tensor([3, 0]).reshape(
        2, 1, 1
    )  # (B, 1, S), the second all padding
    causal = torch.ones(5, 5, dtype=torch.bool).triu(1)
    return [
        _attention_case(
            draw, "two queries, three keys, no mask", (), (2, 3, 4, 5), None, "no batch axis"
        ),
        _attention_case(
            draw,
            "two queries, three keys, a mask",
            (),
            (2, 3, 4, 2),
            draw.mask(2, 3),
            "no batch axis",
        ),
        _attention_case(
            draw, "a batch of 2, 3 heads, no mask", (2, 3), (5, 7, 9, 4), None, "a batch and heads"
        ),
        _attention_case(
            draw,
            "two queries, two keys; the second query may look at nothing",
            (),
            (2, 2, 1, 1),
            torch.tensor([[False, False], [True, True]]),
            "no batch axis",
            "a query that may look at nothing",
            differentiable=False,
        ),
        _attention_case(
            draw,
            "a causal mask (L, S)",
            (2, 3),
            (5, 5, 4, 6),
            causal,
            "a mask without batch and heads",
            "as many queries as keys",
        ),
        _attention_case(
            draw, "a padding mask (B, 1, 1, S)", (3, 2), (4, 6, 16, 3), padding, "a padding mask"
        ),
        _attention_case(
            draw,
            "a mask for every head",
            (2, 3),
            (4, 7, 9, 5),
            draw.mask(2, 3, 4, 7),
            "a mask for every head",
        ),
        _attention_case(
            draw,
            "one query may look at nothing",
            (2, 3),
            (5, 6, 4, 3),
            full_row,
            "a query that may look at nothing",
            differentiable=False,
        ),
        _attention_case(
            draw,
            "one sequence is padding only",
            (2,),
            (3, 5, 9, 4),
            padding_only,
            "a query that may look at nothing",
            "a padding mask",
            differentiable=False,
        ),
        _attention_case(
            draw,
            "one mask (S,) for everything",
            (2, 3),
            (4, 5, 9, 2),
            torch.tensor([False, True, False, False, True]),
            "a mask with fewer axes",
        ),
        _attention_case(
            draw,
            "a mask (H, L, S), the same for every sequence",
            (2, 3),
            (4, 5, 4, 6),
            draw.mask(3, 4, 5),
            "a mask for every head",
            "a mask with fewer axes",
        ),
        _attention_case(
            draw,
            "a mask (L, S) with as many queries as sequences",
            (2, 3),
            (2, 5, 4, 3),
            draw.mask(2, 5),
            "a mask with fewer axes",
        ),
        _attention_case(
            draw,
            "a blocked key that fits far better than the others",
            (2,),
            (3, 4, 4, 2),
            torch.tensor([False, True, False, False]),
            "a mask with fewer axes",
            "scores far apart",
            tempting=632.0,
            dtypes=("float64",),
            differentiable=False,
        ),
        _attention_case(draw, "a single query", (2, 3), (1, 5, 4, 3), None, "a single query"),
        _attention_case(draw, "a single key", (2,), (4, 1, 9, 3), None, "a single key"),
        _attention_case(
            draw,
            "four leading axes",
            (1, 2, 1, 2),
            (2, 4, 4, 3),
            draw.mask(2, 4, blocked=0.3),
            "more leading axes",
        ),
        _attention_case(
            draw,
            "all scores near -200000",
            (2,),
            (3, 4, 4, 2),
            draw.mask(2, 3, 4),
            "scores far below 0",
            far=632.0,
            dtypes=("float64",),
            differentiable=False,
        ),
        _attention_case(
            draw,
            "one sequence's scores are near 0, the other's near -2000",
            (2,),
            (3, 4, 4, 2),
            None,
            "scores far apart",
            apart=63.3,
            dtypes=("float64",),
            differentiable=False,
        ),
        _attention_case(
            draw,
            "queries five times as long as usual, so that some weights are small",
            (2, 2),
            (4, 6, 4, 3),
            draw.mask(4, 6),
            "small weights",
            longer=5.0,
            dtypes=("float64", "float32"),
        ),
        _attention_case(
            draw,
            "no token may look at itself",
            (2,),
            (4, 4, 4, 4),
            torch.eye(4, dtype=torch.bool),
            "as many queries as keys",
            "a mask without batch and heads",
        ),
        _attention_case(
            draw,
            "two heads of width 32",
            (1, 2),
            (6, 6, 32, 32),
            None,
            "the chapter's example",
            "as many queries as keys",
            dtypes=("float32",),
        ),
        _attention_case(
            draw, "heads of width 7", (2, 2), (3, 5, 7, 6), draw.mask(3, 5), dtypes=("float32",)
        ),
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


def _turned_round(mask: Tensor | None) -> Tensor | None:
    return None if mask is None else ~mask


def _cosine(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor]:
    unit, other = (torch.nn.functional.normalize(x, dim=-1) for x in (query, key))
    return plain_attention(unit * math.sqrt(query.shape[-1]), other, value, mask)


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
    cases=_scaled_dot_product_cases,
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
        Landmark(
            "what comes without the mask", lambda q, k, v, mask=None: plain_attention(q, k, v)[0]
        ),
        Landmark(
            "the weights without the mask", lambda q, k, v, mask=None: plain_attention(q, k, v)[1]
        ),
        Landmark(
            "what the mask gives the other way round (True for what takes part, as in "
            "`F.scaled_dot_product_attention`)",
            lambda q, k, v, mask=None: plain_attention(q, k, v, _turned_round(mask))[0],
        ),
        Landmark(
            "the weights with the mask the other way round (True for what takes part)",
            lambda q, k, v, mask=None: plain_attention(q, k, v, _turned_round(mask))[1],
        ),
        Landmark(
            "what a causal mask gives, whatever the mask is",
            lambda q, k, v, mask=None: plain_attention(q, k, v, _causal(q, k))[0],
        ),
        Landmark(
            "the weights of a causal mask, whatever the mask is",
            lambda q, k, v, mask=None: plain_attention(q, k, v, _causal(q, k))[1],
        ),
        Landmark(
            "the output of products that were not divided by the root of d_k",
            lambda q, k, v, mask=None: plain_attention(q * math.sqrt(q.shape[-1]), k, v, mask)[0],
        ),
        Landmark(
            "what cosines give in place of scores: query and key were brought to length 1",
            lambda q, k, v, mask=None: _cosine(q, k, v, mask)[0],
        ),
        Landmark(
            "the weights of cosines in place of scores: query and key were brought to length 1",
            lambda q, k, v, mask=None: _cosine(q, k, v, mask)[1],
        ),
        Landmark(
            "the weights themselves, where the output should be",
            lambda q, k, v, mask=None: plain_attention(q, k, v, mask)[1],
        ),
        Landmark(
            "the value of the best key alone: an argmax instead of a softmax",
            lambda q, k, v, mask=None: _hard(q, k, v, mask)[0],
        ),
        Landmark(
            "the weight 1 for the best key: an argmax instead of a softmax",
            lambda q, k, v, mask=None: _hard(q, k, v, mask)[1],
        ),
    ),
    axes=(("L", "Dv"), ("L", "S")),
    rows_sum_to_one=1,
    remarks=(
        Remark(
            traps.IDLE_QUERY,
            _attention_case(
                Draw(0),
                "two queries, two keys; the second query may look at nothing",
                (),
                (2, 2, 2, 2),
                torch.tensor([[False, False], [True, True]]),
            ),
            traps.not_finite,
            traps.SAYS_OF_IDLE_QUERY,
            mode="gradient",
        ),
    ),
)


def _hard(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    weights = plain_attention(query, key, value, mask)[1]
    best = torch.nn.functional.one_hot(weights.argmax(-1), weights.shape[-1]).to(weights.dtype)
    return best @ value, best
