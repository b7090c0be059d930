"""stacking.token_similarity: how alike the tokens of a sentence are."""

from __future__ import annotations

import functools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Remark, tags, traps
from course.checking.exercise.cases import FLAT, FULL, SINGLE, holding
from course.checking.exercise.draw import Draw
from course.content.stacking.exercises import pairs


def _tokens(draw: Draw, *shape: int) -> Tensor:
    """Tokens with something in common, so that no mean is near 0, and of different lengths."""
    batch, length, d_model = shape
    common = 1.3 * draw.normal(batch, 1, d_model)
    lengths = 0.5 + 2.5 * torch.arange(length, dtype=torch.float64).reshape(1, -1, 1) / length
    return (draw.normal(*shape) + common) * lengths


_OF_SIZES = {"two tokens": "S = 2", "as many tokens as features": "S = D"}


def _case(says: str, hidden: Tensor, padding: Tensor | None, *names: str, **more: Any) -> Case:
    sizes = dict(zip("BSD", hidden.shape, strict=True))
    mask = hidden.new_zeros(hidden.shape[:2]).bool() if padding is None else padding
    few = (~mask).sum(-1) < 2
    names = (*names, *holding(_OF_SIZES, sizes))
    if few.any():
        names, more = (*names, "fewer than two real tokens"), FLAT | more
    if padding is None:
        return Case((hidden,), says, sizes, tags("no padding mask", *names), **more)
    regions = {"sentences with fewer than two real tokens": few} if few.any() else {}
    args = (hidden, padding)
    return Case(args, says, sizes, tags("a padding mask", *names), regions=regions, **more)


def _padding(lengths: list[int], length: int) -> Tensor:
    return torch.arange(length) >= torch.tensor(lengths).unsqueeze(1)


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    tokens = functools.partial(_tokens, draw)
    zero = tokens(2, 4, 3)
    zero[0, 1] = 0.0
    same = tokens(2, 4, 5)
    same[0] = same[0, :1]  # every token the same
    same[1, 2] = same[1, 0]  # two of four
    opposite = draw.normal(1, 1, 4) * torch.tensor([[[1.0], [-2.0]]], dtype=torch.float64)
    half = {"dtypes": ("float64", "float32", "bfloat16"), **FLAT}
    scattered = torch.tensor([[False, True, False, False, True], [True, False, False, True, False]])
    filled, few = _padding([5, 3, 2], 5), _padding([3, 1, 0], 3)
    turned = "two tokens that point in opposite directions"
    return [
        _case("1 sentence of 2 tokens, D = 3", tokens(1, 2, 3), None, **FULL),
        _case("2 sentences of 4 tokens, D = 5", tokens(2, 4, 5), None),
        _case("3 sentences of 5 tokens, D = 5", tokens(3, 5, 5), None),
        _case("sentences of 5, 3 and 2 tokens, filled up to 5", tokens(3, 5, 4), filled),
        _case("as many sentences as tokens", tokens(4, 4, 3), _padding([4, 3, 2, 4], 4)),
        _case("padding between the tokens", tokens(2, 5, 3), scattered, "padding in between"),
        _case("sentences of 3, 1 and 0 tokens", tokens(3, 3, 4), few, **FULL),
        _case("a single token each", tokens(2, 1, 4), None),
        _case("a token that is a zero vector", zero, None, "a zero vector", **half),
        _case("tokens that are the same vector", same, None, "equal tokens"),
        _case(turned, opposite, None, "opposite tokens"),
        _case("vectors 100 times as long", tokens(2, 3, 6) * 100, None, "long vectors", **FULL),
        _case(
            "vectors with lengths near 0.01",
            tokens(2, 3, 6) * 0.01,
            _padding([3, 2], 3),
            "short vectors",
            **FULL | FLAT,
        ),
        _case("2 sentences of 7 tokens, D = 16", tokens(2, 7, 16), None, **SINGLE),
    ]


def _cosines(hidden: Tensor) -> Tensor:
    unit = F.normalize(hidden, dim=-1)
    return unit @ unit.mT


EXERCISE = Exercise(
    id="stacking.token_similarity",
    signature="(hidden, padding_mask=None)",
    minutes=15,
    difficulty=2,
    cases=_cases,
    finds=pairs.finds,
    landmarks=(
        Landmark(
            "the mean over all pairs, each token with itself included",
            lambda h, mask=None: _cosines(h).mean((-2, -1)),
        ),
        Landmark(
            "the mean over the upper triangle with its diagonal: each token with itself included",
            lambda h, mask=None: (
                _cosines(h).triu().sum((-2, -1)) * 2 / (h.shape[1] * (h.shape[1] + 1))
            ),
        ),
        Landmark(
            "the mean similarity of each token with the mean of all",
            lambda h, mask=None: F.cosine_similarity(h, h.mean(1, keepdim=True), dim=-1).mean(1),
        ),
        Landmark(
            "the mean over neighbours only, padding included",
            lambda h, mask=None: F.cosine_similarity(h[:, :-1], h[:, 1:], dim=-1).mean(1),
        ),
        Landmark(
            "the smallest similarity, not the mean",
            lambda h, mask=None: _cosines(h).amin((-2, -1)),
        ),
        Landmark(
            "the largest similarity, not the mean",
            lambda h, mask=None: (_cosines(h) - 2 * torch.eye(h.shape[1])).amax((-2, -1)),
        ),
    ),
    axes=(("B",),),
    remarks=(
        Remark(
            "difference-of-sums",
            Case(
                (Draw(2).normal(2, 12, 1024),),
                "2 sentences of 12 tokens that have nothing in common",
            ),
            lambda came, wanted: traps.loses_digits(came, wanted, 0.04),
            "In exact arithmetic the square of the sum of all vectors minus the sum of their squares is the sum "
            "over the pairs. Where the tokens have little in common the two are nearly equal, and most of their "
            "digits cancel: in bfloat16 the result is then off by several per cent, where the mean over the "
            "table of cosines is off by one.",
            dtype="bfloat16",
        ),
    ),
)
