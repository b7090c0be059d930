"""feed_forward.gelu: the exact GELU."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.draw import Draw
from course.content.feed_forward.exercises.gelu import search

# In half precision the tolerance is a share of the largest number, so that there must be one above 0:
# below it 1 + erf loses its digits, in right answers too.
FULL = ("float64", "float32")


def _gelu_cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    zero = draw.normal(3, 4)
    zero[1] = 0.0
    return [
        Case((draw.normal(5),), "five numbers", dtypes=FULL),
        Case((draw.normal(2, 3, 4),), "a (2, 3, 4) tensor", tags=tags("three axes")),
        Case((draw.normal(4, 7) * 3,), "numbers that are spread wider", tags=tags("wide numbers")),
        Case((draw.normal(6) * 10,), "large numbers of both signs", tags=tags("large numbers")),
        Case((draw.normal(3, 5).abs() + 0.1,), "positive numbers", tags=tags("positive numbers")),
        Case(
            (-draw.normal(3, 5).abs() - 0.1,),
            "negative numbers",
            tags=tags("negative numbers"),
            dtypes=FULL,
        ),
        Case((zero,), "some numbers are 0", tags=tags("zeros")),
        Case(
            (draw.normal(1)[0],), "a single number, without axes", tags=tags("no axis"), dtypes=FULL
        ),
        Case((draw.normal(2, 1, 3, 1, 2),), "five axes", tags=tags("more axes")),
    ]


def _phi(x: torch.Tensor) -> torch.Tensor:
    return torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)


EXERCISE = Exercise(
    id="feed_forward.gelu",
    signature="(x)",
    minutes=10,
    difficulty=1,
    cases=_gelu_cases,
    finds=search.finds,
    landmarks=(
        Landmark("the derivative of the GELU", lambda x: torch.special.ndtr(x) + x * _phi(x)),
        Landmark("an ELU", lambda x: F.elu(x)),
        Landmark("a SELU", lambda x: F.selu(x)),
        Landmark("a softplus", lambda x: F.softplus(x)),
        Landmark("a Mish", lambda x: F.mish(x)),
        Landmark("a hard swish", lambda x: F.hardswish(x)),
        Landmark("a leaky ReLU", lambda x: F.leaky_relu(x)),
        Landmark("a sigmoid", lambda x: torch.sigmoid(x)),
        Landmark("a tanh", lambda x: torch.tanh(x)),
        Landmark("erf(x) alone", lambda x: torch.erf(x)),
        Landmark("the GELU of the GELU", lambda x: F.gelu(F.gelu(x))),
        Landmark("the positive part of the GELU", lambda x: F.gelu(x).relu()),
        Landmark("the input, unchanged", lambda x: x),
    ),
)
