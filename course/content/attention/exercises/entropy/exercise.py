"""attention.entropy: the entropy of the weights."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Remark, tags, traps
from course.checking.exercise.cases import FLAT, FULL
from course.checking.exercise.draw import Draw


def _case(says: str, weights: Tensor, *names: str, **more: Any) -> Case:
    sizes = dict(zip("LS", weights.shape[-2:], strict=True))
    idle = (weights == 0).all(-1)
    if (weights == 0).any():
        names, more = (*names, "weights of 0"), FLAT | more
    if idle.any():
        names = (*names, "a query without weights")
        more["regions"] = {"queries without weights": idle}
    return Case((weights,), says, sizes, tags(*names), **more)


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    zeros = draw.weights(2, 3, 5, zeros=0.4)
    idle = draw.weights(2, 3, 4)
    idle[1, 2] = 0.0
    one, equal = torch.eye(4, dtype=torch.float64), torch.full((3, 7), 1 / 7, dtype=torch.float64)
    tiny = torch.tensor([[1e-5, 0.25, 0.75 - 1e-5], [0.5, 1e-7, 0.5 - 1e-7]], dtype=torch.float64)
    many, alone = draw.weights, "all the weight on one key"
    return [
        _case("a single query", many(1, 1, 4), "a single query"),
        _case("two queries, three keys", many(2, 3)),
        _case("a batch, heads, four queries, six keys", many(2, 3, 4, 6), "a batch and heads"),
        _case("a batch of 3", many(3, 2, 5), "a batch axis"),
        _case("equal weights over seven keys", equal, "equal weights"),
        _case("some weights are tiny", tiny, "tiny weights", **FULL),
        _case("some weights are 0", zeros),
        _case(alone, one, alone),
        _case("one query has no weights at all", idle),
    ]


EXERCISE = Exercise(
    id="attention.entropy",
    signature="(weights)",
    minutes=10,
    difficulty=2,
    cases=_cases,
    landmarks=(
        Landmark(
            "the perplexity, the exponential of the entropy",
            lambda w: torch.special.entr(w).sum(-1).exp(),
        ),
        Landmark(
            "log S minus the entropy: the distance from equal weights",
            lambda w: math.log(w.shape[-1]) - torch.special.entr(w).sum(-1),
        ),
        Landmark(
            "the entropy without the last key's term",
            lambda w: torch.special.entr(w[..., :-1]).sum(-1),
        ),
        Landmark(
            "the entropy without the first key's term",
            lambda w: torch.special.entr(w[..., 1:]).sum(-1),
        ),
        Landmark("-log of the largest weight", lambda w: -w.amax(-1).log()),
        Landmark(
            "-log of the sum of squares (the Renyi entropy of order 2)",
            lambda w: -(w * w).sum(-1).log(),
        ),
        Landmark(
            "the sum of the entropies of each weight against the rest (w against 1 - w)",
            lambda w: (torch.special.entr(w) + torch.special.entr(1 - w)).sum(-1),
        ),
        Landmark("the sum of -w log(1 - w)", lambda w: -(w * torch.log1p(-w)).sum(-1)),
        Landmark(
            "the cross-entropy of the weights with a softmax of them (`F.cross_entropy` takes scores)",
            lambda w: -(w * torch.log_softmax(w, -1)).sum(-1),
        ),
        Landmark("the largest weight of each query", lambda w: w.amax(-1)),
        Landmark("1 minus the sum of squares (the Gini impurity)", lambda w: 1 - (w * w).sum(-1)),
        Landmark("the terms -w log w, not yet summed", lambda w: torch.special.entr(w)),
        Landmark(
            "the entropy of the weights' mean over the queries",
            lambda w: torch.special.entr(w.mean(-2)).sum(-1),
        ),
    ),
    axes=(("L",),),
    remarks=(
        Remark(
            "no-gradient-at-zero",
            Case(
                (torch.tensor([[0.5, 0.5, 0.0]], dtype=torch.float64),),
                "one weight is 0",
            ),
            traps.not_finite,
            "Where a weight is 0 the result is right, but the gradient there is NaN or inf: the 0 still goes into "
            "the logarithm, and only what comes out is replaced. A blocked key has the weight 0, so a loss "
            "that contains this entropy makes the gradients of all queries and keys NaN, and after the next "
            "step the weights behind them. Replace the 0 before the logarithm.",
            mode="gradient",
        ),
    ),
)
