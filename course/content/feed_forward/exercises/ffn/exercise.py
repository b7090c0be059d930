"""feed_forward.ffn: the article's formula."""

from __future__ import annotations

import math

import torch

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.draw import Draw


def _ffn_cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(says: str, lead: tuple[int, ...], width: int, inner: int, *names: str) -> Case:
        args = (
            draw.normal(*lead, width) * 1.5,
            draw.normal(width, inner) / math.sqrt(width),
            draw.normal(inner),
            draw.normal(inner, width) / math.sqrt(inner),
            draw.normal(width),
        )
        return Case(args, says, {"D": width, "F": inner}, tags(*names))

    return [
        case("two tokens of width 3, an inner width of 4", (2,), 3, 4, "no batch axis"),
        case("a batch of 2 with 5 tokens of width 4, an inner width of 16", (2, 5), 4, 16),
        case("a batch of 3 with 2 tokens of width 6, an inner width of 5", (3, 2), 6, 5, "F < D"),
        case("inner width and width the same", (2, 3), 5, 5, "F = D"),
        case("as many tokens as the width", (4, 4), 4, 7, "as many tokens as the width"),
        case("a single vector", (), 4, 6, "a single vector"),
        case("a single token in each of 3 sentences", (3, 1), 4, 9, "a single token"),
        case("four leading axes", (2, 1, 3, 2), 5, 8, "more leading axes"),
        case("a width of 1", (2, 3), 1, 4, "a width of 1"),
    ]


EXERCISE = Exercise(
    id="feed_forward.ffn",
    signature="(x, w1, b1, w2, b2)",
    minutes=10,
    difficulty=1,
    cases=_ffn_cases,
    landmarks=(
        Landmark(
            "the inner layer: max(0, x W1 + b1), before W2",
            lambda x, w1, b1, w2, b2: (x @ w1 + b1).relu(),
        ),
        Landmark(
            "x W1 + b1, neither activated nor brought back to the width of the model",
            lambda x, w1, b1, w2, b2: x @ w1 + b1,
        ),
        Landmark(
            "the network with a softplus in place of max(0, ·)",
            lambda x, w1, b1, w2, b2: torch.nn.functional.softplus(x @ w1 + b1) @ w2 + b2,
        ),
        Landmark(
            "the network with the squares of what is positive",
            lambda x, w1, b1, w2, b2: (x @ w1 + b1).relu().square() @ w2 + b2,
        ),
        Landmark(
            "the network with an ELU in place of max(0, ·)",
            lambda x, w1, b1, w2, b2: torch.nn.functional.elu(x @ w1 + b1) @ w2 + b2,
        ),
        Landmark(
            "the network without any bias",
            lambda x, w1, b1, w2, b2: (x @ w1).relu() @ w2,
        ),
        Landmark(
            "the network without its first neuron",
            lambda x, w1, b1, w2, b2: (x @ w1 + b1)[..., 1:].relu() @ w2[1:] + b2,
        ),
        Landmark(
            "the network without its last neuron",
            lambda x, w1, b1, w2, b2: (x @ w1 + b1)[..., :-1].relu() @ w2[:-1] + b2,
        ),
        Landmark("the input, unchanged", lambda x, *rest: x),
    ),
    axes=(("B", "S", "D"),),
)
