"""stacking.layer_norm: layer normalisation over the last axis."""

from __future__ import annotations

import functools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.cases import DOUBLE, FLAT, FULL, SINGLE, holding
from course.checking.exercise.draw import Draw

_OF_SIZES = {
    "a single vector": "axes = 1",
    "more leading axes": "axes > 3",
    "a single feature": "D = 1",
    "D of 16": "D = 16",
    "a square x": "S = D; D > 2",
}


def _case(
    draw: Draw, says: str, x: Tensor, *names: str, eps: float | None = None, **more: Any
) -> Case:
    """With a weight and a bias that are neither 1 nor 0."""
    width = x.shape[-1]
    args = (x, draw.normal(width) + 2.0, draw.normal(width), *([] if eps is None else [eps]))
    sizes = dict(zip("BSD"[-x.dim() :], x.shape, strict=False))
    names = (*names, *holding(_OF_SIZES, sizes | {"axes": x.dim()}))
    return Case(args, says, sizes, tags(*names), **more)


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    case = functools.partial(_case, draw)
    # Small: rounding grows by 1 / sqrt(eps).
    constant = torch.full((2, 3, 4), 2**-5, dtype=torch.float64)
    constant[1] = draw.normal(3, 4)

    def around(*shape: int) -> Tensor:
        return draw.normal(*shape) + 0.5

    usual, far = "the batch in front", "a mean far from 0"
    small, beyond = "small vectors", "a mean far beyond the spread"
    tiny, same = "vectors of the size 0.01, where eps counts", "constant vectors"
    of_8 = "vectors whose mean is 8 and whose variance is 1"
    sentence = "a sentence whose tokens are constant vectors"
    of_200000 = "vectors whose mean is 200000 and whose variance is 1"
    return [
        case("1 sentence of 2 tokens, D = 3", around(1, 2, 3), usual),
        case("2 sentences of 3 tokens, D = 5", around(2, 3, 5), usual),
        case("as many tokens as features, without a batch", around(4, 4)),
        case("a batch in which all sizes are 3", around(3, 3, 3)),
        case("one vector, D = 6", around(6)),
        case("four axes (2, 3, 4, 5)", around(2, 3, 4, 5)),
        case("eps = 0.5", around(2, 3, 4), "a large eps", eps=0.5),
        case(tiny, draw.normal(2, 3, 4) * 0.01, small, **FLAT | FULL),
        case(sentence, constant, same, **FLAT),
        case("a single feature, D = 1", around(2, 3, 1), **FLAT),
        case(of_8, draw.normal(2, 3, 7) + 8.0, far, **FULL),
        case("vectors of the size 20", draw.normal(2, 3, 6) * 20, "large vectors", **FULL),
        case("2 sentences of 5 tokens, D = 16", around(2, 5, 16), **SINGLE),
        # Multiples of 1/4096, so that a mean of 8 of them is exact and their squares are not.
        case(of_200000, (draw.normal(2, 3, 8) * 4096).round() / 4096 + 2e5, beyond, **DOUBLE),
    ]


EXERCISE = Exercise(
    id="stacking.layer_norm",
    signature="(x, weight, bias, eps=1e-5)",
    minutes=10,
    difficulty=1,
    cases=_cases,
    landmarks=(
        Landmark(
            "the normalised vector, before weight and bias",
            lambda x, w, b, eps=1e-5: F.layer_norm(x, x.shape[-1:], eps=eps),
        ),
        Landmark(
            "RMS normalisation: x over the root of its mean square",
            lambda x, w, b, eps=1e-5: x / (x.square().mean(-1, keepdim=True) + eps).sqrt() * w + b,
        ),
        Landmark(
            "batch normalisation: each feature over all tokens",
            lambda x, w, b, eps=1e-5: F.batch_norm(
                x.reshape(-1, x.shape[-1]), None, None, w, b, True, 0.1, eps
            ).reshape(x.shape),
        ),
        Landmark(
            "what comes when x is scaled and shifted first, and normalised after that",
            lambda x, w, b, eps=1e-5: F.layer_norm(x * w + b, x.shape[-1:], eps=eps),
        ),
        Landmark(
            "x without its mean, scaled and shifted: it was not divided",
            lambda x, w, b, eps=1e-5: (x - x.mean(-1, keepdim=True)) * w + b,
        ),
        Landmark("x itself, scaled and shifted", lambda x, w, b, eps=1e-5: x * w + b),
        Landmark(
            "x scaled to length 1 (`F.normalize`)",
            lambda x, w, b, eps=1e-5: F.normalize(x, dim=-1) * w + b,
        ),
        Landmark(
            "a softmax of x, scaled and shifted",
            lambda x, w, b, eps=1e-5: torch.softmax(x, -1) * w + b,
        ),
    ),
    axes=(("B", "S", "D"),),
)
