"""classification.masked_mean: one vector for each text, the mean of its real tokens."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Remark, tags, traps
from course.checking.exercise.cases import FLAT, holding
from course.checking.exercise.draw import Draw

_OF_SIZES = {
    "a single text": "B = 1",
    "a single token": "S = 1",
    "as many texts as tokens": "B = S; B > 1",
    "as many tokens as features": "S = D; S > 1",
}


def _filled(lengths: list[int], length: int) -> Tensor:
    """(B, S): padding behind the first `lengths` tokens."""
    return torch.arange(length) >= torch.tensor(lengths).unsqueeze(1)


def _case(says: str, hidden: Tensor, padding: Tensor, *names: str, **more: Any) -> Case:
    sizes = dict(zip("BSD", hidden.shape, strict=True))
    names = (*names, *holding(_OF_SIZES, sizes), "padding" if padding.any() else "no padding")
    empty = padding.all(dim=1, keepdim=True)
    if empty.any():
        names, more = (*names, "a text of padding only"), FLAT | more
        more["regions"] = {"texts of padding only": empty}
    return Case((hidden, padding), says, sizes, tags(*names), **more)


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def drawn(*shape: int) -> Tensor:
        """Texts with something in common, so that no mean is near 0."""
        return draw.normal(*shape) + 0.5 * draw.normal(shape[0], 1, shape[2]) + 0.5

    left = _filled([2, 4, 1], 5).flip(1)
    between = torch.tensor([[False, True, False, False, True], [True, False, False, True, False]])
    far = drawn(2, 4, 3)
    far[_filled([2, 3], 4)] = 30.0
    return [
        _case("2 texts of 3 and 2 tokens, D = 4", drawn(2, 3, 4), _filled([3, 2], 3)),
        _case("a text of 4 tokens without padding", drawn(1, 4, 3), _filled([4], 4)),
        _case("3 texts of 5, 3 and 1 tokens", drawn(3, 5, 2), _filled([5, 3, 1], 5)),
        _case("2 texts of 6 tokens, none padded", drawn(2, 6, 5), _filled([6, 6], 6)),
        _case("4 texts, 4 places", drawn(4, 4, 3), _filled([4, 2, 3, 1], 4)),
        _case("5 places, 5 features", drawn(3, 5, 5), _filled([2, 5, 4], 5)),
        _case("padding on the left", drawn(3, 5, 4), left, "padding that is not at the end"),
        _case("padding in between", drawn(2, 5, 3), between, "padding that is not at the end"),
        _case("large numbers at padding", far, _filled([2, 3], 4), "large numbers at padding"),
        _case("texts of 3, 0 and 1 tokens", drawn(3, 3, 4), _filled([3, 0, 1], 3)),
        _case("nothing but padding", drawn(1, 2, 3), _filled([0], 2)),
        _case("one token each", drawn(3, 1, 2), _filled([1, 1, 1], 1)),
        _case("70 places, 50 of them padding", drawn(2, 70, 6), _filled([20, 70], 70)),
    ]


def _real(padding: Tensor) -> Tensor:
    return ~padding.unsqueeze(-1)


EXERCISE = Exercise(
    id="classification.masked_mean",
    signature="(hidden, padding_mask)",
    minutes=10,
    difficulty=1,
    cases=_cases,
    axes=(("B", "D"),),
    landmarks=(
        Landmark("the smallest value of each feature", lambda h, p: h.amin(1)),
        Landmark(
            "the mean over the padding alone",
            lambda h, p: (h * p.unsqueeze(-1)).sum(1) / p.sum(1, keepdim=True).clamp(min=1),
        ),
        Landmark("the median of the tokens", lambda h, p: h.median(1).values),
        Landmark(
            "the sum over the root of the number of real tokens",
            lambda h, p: (h * _real(p)).sum(1) / _real(p).sum(1).clamp(min=1).sqrt(),
        ),
        Landmark(
            "the mean of the tokens' vectors, each scaled to length 1",
            lambda h, p: (F.normalize(h, dim=-1) * _real(p)).sum(1) / _real(p).sum(1).clamp(min=1),
        ),
        Landmark(
            "a mean weighted by a softmax in which padding takes part",
            lambda h, p: (torch.softmax(_real(p).to(h.dtype), dim=1) * h).sum(1),
        ),
    ),
    remarks=(
        Remark(
            "nan-gradient-of-an-empty-text",
            Case(
                (
                    torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]], dtype=torch.float64),
                    torch.tensor([[False], [True]]),
                ),
                "one of two texts is all padding",
            ),
            traps.not_finite,
            "A text of padding only gets zeros, but the gradient that flows back into its tokens is NaN: 0 / 0 is "
            "computed on the way and replaced afterwards. One such text in a batch makes all weights of the encoder "
            "NaN with the next step. Divide by at least 1 instead.",
            mode="gradient",
        ),
    ),
)
