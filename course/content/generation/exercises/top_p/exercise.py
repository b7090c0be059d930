"""generation.top_p: the nucleus of a distribution."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.cases import FULL, holding
from course.checking.exercise.draw import Draw

_OF_SIZES = {
    "a single distribution": "axes = 1",
    "more than two axes": "axes > 2",
    "a single token": "V = 1",
}


def _drawn(draw: Draw, *shape: int, p: float, gap: float) -> Tensor:
    """Logits in which no row's sums of the likeliest probabilities come near to p."""
    while True:
        logits = draw.normal(*shape)
        sums = logits.softmax(-1).sort(-1, descending=True).values.cumsum(-1)
        if bool(((sums - p).abs() > gap).all()):
            return logits


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(says: str, logits: Tensor, p: float, *names: str, **more: Any) -> Case:
        kept = (logits.softmax(-1).sort(-1, descending=True).values.cumsum(-1) < p).sum(-1) + 1
        sizes = {"V": logits.shape[-1], "axes": logits.dim()}
        # Where -inf is added, its logit has a gradient; where it is filled in, it has none. Both are right.
        more = {"differentiable": bool((kept >= logits.shape[-1]).all()), **more}
        names = (*names, *holding(_OF_SIZES, sizes))
        names = (*names, *(["only the likeliest stays"] if bool((kept == 1).all()) else []))
        names = (
            *names,
            *(["a token below p alone"] if 0 < p < 1 and bool((kept > 1).any()) else []),
        )
        return Case((logits, p), says, sizes, tags(*names), **more)

    def drawn(*shape: int, p: float, gap: float = 0.012) -> Tensor:
        return _drawn(draw, *shape, p=p, gap=gap)

    of_three = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64).log()
    descending = torch.tensor(
        [[2.0, 1.0, 0.25, -1.0, -1.5], [3.0, 0.5, 0.0, -1.0, -2.0]], dtype=torch.float64
    )  # of the two rows another number stays
    blocked = drawn(2, 3, p=0.6)
    blocked = torch.cat([torch.full((2, 1), -torch.inf, dtype=blocked.dtype), blocked], 1)
    sure = torch.tensor([[0.0, 9.0, 1.0, -2.0], [0.5, 0.25, 0.0, 0.75]], dtype=torch.float64)
    alike = torch.tensor([3.0, 1.0, 1.0, -2.0], dtype=torch.float64)  # the equal ones both stay
    even = torch.tensor([[0.75] * 4, [-1.5] * 4], dtype=torch.float64)  # their sums are exact
    return [
        case("probabilities 0.5, 0.3 and 0.2, p = 0.6", of_three, 0.6),
        case("the same, p = 0.9", of_three, 0.9),
        case("logits in descending order", descending, 0.7, "logits in descending order"),
        case("five tokens", drawn(5, p=0.7), 0.7),
        case("three distributions of six tokens", drawn(3, 6, p=0.5), 0.5),
        case("a batch of texts", drawn(2, 3, 5, p=0.8), 0.8),
        case("as many distributions as tokens", drawn(4, 4, p=0.6), 0.6),
        case("a sure and an unsure distribution", sure, 0.9, "a sure and an unsure distribution"),
        case("two tokens equally likely", alike, 0.99, "equal logits"),
        case("p = 0", drawn(2, 5, p=0.0), 0.0, "p = 0"),
        case("p below the largest probability", drawn(2, 5, p=0.15), 0.15),
        case("p = 1, and all equally likely", even, 1.0, "p = 1"),
        case("p = 0.999", drawn(2, 5, p=0.999, gap=3e-4), 0.999, **FULL),
        case("a single token", drawn(2, 1, p=0.5), 0.5),
        case("large logits", 60 + drawn(2, 4, p=0.75), 0.75, "large logits", **FULL),
        case("negative logits", drawn(2, 4, p=0.75) - 40, 0.75, "negative logits", **FULL),
        case("a logit that is -inf before", blocked, 0.6, "a logit that is -inf"),
        case("50 tokens", drawn(3, 50, p=0.9, gap=1e-5), 0.9, **FULL),
    ]  # fmt: skip


def _nucleus(logits: Tensor, p: float) -> Tensor:
    """True outside of the nucleus."""
    ordered, order = logits.sort(-1, descending=True)
    probability = ordered.softmax(-1)
    outside = probability.cumsum(-1) - probability >= p
    outside[..., 0] = False
    return torch.zeros_like(outside).scatter(-1, order, outside)


EXERCISE = Exercise(
    id="generation.top_p",
    signature="(logits, p)",
    minutes=20,
    difficulty=3,
    cases=_cases,
    landmarks=(
        Landmark(
            "the probabilities of the nucleus, 0 elsewhere",
            lambda logits, p: logits.softmax(-1).masked_fill(_nucleus(logits, p), 0.0),
        ),
        Landmark(
            "the probabilities of the nucleus, made to sum to 1",
            lambda logits, p: logits.masked_fill(_nucleus(logits, p), -torch.inf).softmax(-1),
        ),
        Landmark(
            "the logarithms of the probabilities of the nucleus, and not its logits",
            lambda logits, p: logits.log_softmax(-1).masked_fill(_nucleus(logits, p), -torch.inf),
        ),
        Landmark(
            "the logits of what is outside of the nucleus",
            lambda logits, p: logits.masked_fill(~_nucleus(logits, p), -torch.inf),
        ),
        Landmark("logits itself: nothing was cut", lambda logits, p: logits),
    ),
    axes=(("V",),),
)
