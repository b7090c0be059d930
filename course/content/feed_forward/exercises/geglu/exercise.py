"""feed_forward.geglu: the gated network."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.draw import Draw


def _geglu_cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(says: str, lead: tuple[int, ...], width: int, inner: int, *names: str) -> Case:
        args = (
            draw.normal(*lead, width) * 1.5,
            draw.normal(width, inner) / math.sqrt(width),
            draw.normal(width, inner) / math.sqrt(width),
            draw.normal(inner, width) / math.sqrt(inner),
        )
        return Case(args, says, {"D": width, "F": inner}, tags(*names))

    return [
        case("two tokens of width 3, an inner width of 4", (2,), 3, 4, "no batch axis"),
        case("a batch of 2 with 5 tokens of width 4, an inner width of 11", (2, 5), 4, 11),
        case("a batch of 3 with 2 tokens of width 6, an inner width of 5", (3, 2), 6, 5, "F < D"),
        case("inner width and width the same", (2, 3), 5, 5, "F = D"),
        case("everything the same size", (4, 4), 4, 4, "F = D", "as many tokens as the width"),
        case("a single vector", (), 4, 6, "a single vector"),
        case("a single token in each of 3 sentences", (3, 1), 4, 9, "a single token"),
        case("four leading axes", (2, 1, 3, 2), 5, 8, "more leading axes"),
    ]


def _both(x: Tensor, w_gate: Tensor, w_up: Tensor) -> Tensor:
    return torch.cat([x @ w_gate, x @ w_up], -1)


EXERCISE = Exercise(
    id="feed_forward.geglu",
    signature="(x, w_gate, w_up, w_down)",
    minutes=10,
    difficulty=2,
    cases=_geglu_cases,
    landmarks=(
        Landmark("the gate alone: gelu(x W_gate)", lambda x, g, u, d: F.gelu(x @ g)),
        Landmark("x W_up alone", lambda x, g, u, d: x @ u),
        Landmark(
            "the network whose paths take turns: every other column of [x W_gate, x W_up] is the gate",
            lambda x, g, u, d: (F.gelu(_both(x, g, u)[..., ::2]) * _both(x, g, u)[..., 1::2]) @ d,
        ),
        Landmark(
            "the product of two networks: each path was brought back by W_down before they were multiplied",
            lambda x, g, u, d: (F.gelu(x @ g) @ d) * (x @ u @ d),
        ),
        Landmark(
            "the network with a tanh as gate", lambda x, g, u, d: (torch.tanh(x @ g) * (x @ u)) @ d
        ),
        Landmark(
            "the network with a step as gate, 0 or 1",
            lambda x, g, u, d: ((x @ g > 0).to(x) * (x @ u)) @ d,
        ),
        Landmark(
            "the network with Φ(x W_gate) as gate, without its x W_gate",
            lambda x, g, u, d: (torch.special.ndtr(x @ g) * (x @ u)) @ d,
        ),
        Landmark("the input, unchanged", lambda x, *rest: x),
    ),
    axes=(("B", "S", "D"),),
)
