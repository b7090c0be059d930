"""feed_forward.gelu: the exact GELU."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.cases import FULL
from course.checking.exercise.draw import Draw


def _case(says: str, x: Tensor, *names: str, **more: Any) -> Case:
    return Case((x,), says, tags=tags(*names), **more)


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    zero = draw.normal(3, 4)
    zero[1] = 0.0
    # In half precision the tolerance is a share of the largest number, so that there must be one above 0:
    # below it 1 + erf loses its digits, in right answers too.
    above, below = "positive numbers", "negative numbers"
    return [
        _case("five numbers", draw.normal(5), **FULL),
        _case("a (2, 3, 4) tensor", draw.normal(2, 3, 4), "three axes"),
        _case("numbers that are spread wider", draw.normal(4, 7) * 3, "wide numbers"),
        _case("large numbers of both signs", draw.normal(6) * 10, "large numbers"),
        _case(above, draw.normal(3, 5).abs() + 0.1, above),
        _case(below, -draw.normal(3, 5).abs() - 0.1, below, **FULL),
        _case("some numbers are 0", zero, "zeros"),
        _case("a single number, without axes", draw.normal(1)[0], "no axis", **FULL),
        _case("five axes", draw.normal(2, 1, 3, 1, 2), "more axes"),
    ]


def _phi(x: torch.Tensor) -> torch.Tensor:
    return torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)


EXERCISE = Exercise(
    id="feed_forward.gelu",
    signature="(x)",
    minutes=10,
    difficulty=1,
    cases=_cases,
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
