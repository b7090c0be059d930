"""stacking.layer_norm: layer normalisation over the last axis."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.draw import Draw
from course.content.stacking.exercises.layer_norm import search


def _case(draw: Draw, says: str, shape: tuple[int, ...], *names: str, **more: Any) -> Case:
    """Tokens of unit scale around 0.5, with a weight and a bias that are neither 1 nor 0."""
    eps = more.pop("eps", None)
    x = more.pop("x", None)
    x = draw.normal(*shape) + 0.5 if x is None else x
    args = (x, draw.normal(shape[-1]) + 2.0, draw.normal(shape[-1]))
    sizes = dict(zip(("B", "S", "D")[-len(shape) :], shape, strict=False))
    return Case(
        args if eps is None else (*args, eps), says, sizes, tags("x of unit scale", *names), **more
    )


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    constant = torch.full(
        (2, 3, 4), 2**-5, dtype=torch.float64
    )  # small: rounding grows by 1 / sqrt(eps)
    constant[1] = draw.normal(3, 4)
    return [
        _case(draw, "1 sentence of 2 tokens, D = 3", (1, 2, 3), "the batch in front"),
        _case(draw, "2 sentences of 3 tokens, D = 5", (2, 3, 5), "the batch in front"),
        _case(draw, "as many tokens as features, without a batch", (4, 4), "a square x"),
        _case(draw, "a batch in which all sizes are 3", (3, 3, 3), "a square x"),
        _case(draw, "one vector, D = 6", (6,), "a single vector"),
        _case(draw, "four axes (2, 3, 4, 5)", (2, 3, 4, 5), "more leading axes"),
        _case(draw, "eps = 0.5", (2, 3, 4), "a large eps", eps=0.5),
        _case(
            draw,
            "vectors of the size 0.01, where eps counts",
            (2, 3, 4),
            "small vectors",
            x=draw.normal(2, 3, 4) * 0.01,
            dtypes=("float64", "float32"),
            differentiable=False,
        ),
        _case(
            draw,
            "a sentence whose tokens are constant vectors",
            (2, 3, 4),
            "constant vectors",
            x=constant,
            differentiable=False,
        ),
        _case(draw, "a single feature, D = 1", (2, 3, 1), "a single feature", differentiable=False),
        _case(
            draw,
            "vectors whose mean is 8 and whose variance is 1",
            (2, 3, 7),
            "a mean far from 0",
            x=draw.normal(2, 3, 7) + 8.0,
            dtypes=("float64", "float32"),
        ),
        _case(
            draw,
            "vectors of the size 20",
            (2, 3, 6),
            "large vectors",
            x=draw.normal(2, 3, 6) * 20,
            dtypes=("float64", "float32"),
        ),
        _case(draw, "2 sentences of 5 tokens, D = 16", (2, 5, 16), "D of 16", dtypes=("float32",)),
        _case(
            draw,
            "vectors whose mean is 200000 and whose variance is 1",
            (2, 3, 8),
            "a mean far beyond the spread",
            # Multiples of 1/4096, so that a mean of 8 of them is exact and their squares are not.
            x=(draw.normal(2, 3, 8) * 4096).round() / 4096 + 2e5,
            dtypes=("float64",),
            differentiable=False,
        ),
    ]


EXERCISE = Exercise(
    id="stacking.layer_norm",
    signature="(x, weight, bias, eps=1e-5)",
    minutes=10,
    difficulty=1,
    cases=_cases,
    finds=search.finds,
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
