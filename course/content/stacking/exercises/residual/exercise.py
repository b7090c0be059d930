"""stacking.residual: the residual connection, with the norm before or after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.draw import Draw
from course.content.stacking.exercises import sums


def _sublayer(x: Tensor, weight: Tensor, shift: Tensor) -> Tensor:
    """Not linear and not odd, so that no two ways of putting it together agree by chance."""
    return torch.tanh(x @ weight) + shift


def _norm(x: Tensor, scale: Tensor) -> Tensor:
    """A norm whose second use would change its first one's result."""
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + 0.1).sqrt() * scale + 0.25


def _harness(residual: Callable[..., Any]) -> Callable[..., Any]:
    """What a submission makes of a sub-layer and a norm, and how often it calls each."""

    def run(
        x: Tensor, of_sublayer: list[Tensor], of_norm: Tensor, norm_first: bool
    ) -> tuple[Any, int, int]:
        calls = {"sublayer": 0, "norm": 0}

        def sublayer(h: Tensor) -> Tensor:
            calls["sublayer"] += 1
            return _sublayer(h, *of_sublayer)

        def norm(h: Tensor) -> Tensor:
            calls["norm"] += 1
            return _norm(h, of_norm)

        return residual(x, sublayer, norm, norm_first), calls["sublayer"], calls["norm"]

    return run


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    made = []
    for norm_first in (True, False):
        name = "pre-norm" if norm_first else "post-norm"
        for says, shape in (
            ("1 sentence of 2 tokens, D = 3", (1, 2, 3)),
            ("2 sentences of 3 tokens, D = 4", (2, 3, 4)),
            ("one vector, D = 5", (5,)),
            ("four axes (2, 3, 2, 4)", (2, 3, 2, 4)),
        ):
            d_model = shape[-1]
            args = (
                draw.normal(*shape),
                [draw.normal(d_model, d_model), draw.normal(d_model)],
                draw.normal(d_model) + 2.0,
                norm_first,
            )
            sizes = dict(zip(("B", "S", "D")[-len(shape) :], shape, strict=False))
            made.append(Case(args, f"{name}, {says}", sizes, tags(name)))
    return made


def _landmark(says: str, compute: Callable[..., Tensor]) -> Landmark:
    """A quantity made of x, the sub-layer and the norm."""

    def computed(x: Tensor, of_sublayer: list[Tensor], of_norm: Tensor, norm_first: bool) -> Tensor:
        return compute(x, lambda h: _sublayer(h, *of_sublayer), lambda h: _norm(h, of_norm))

    return Landmark(says, computed)


EXERCISE = Exercise(
    id="stacking.residual",
    signature="(x, sublayer, norm, norm_first)",
    minutes=10,
    difficulty=1,
    cases=_cases,
    harness=_harness,
    shown={
        "sublayer": "a function with weights of its own, from (..., D) to (..., D)",
        "norm": "a function that centres and scales each vector, from (..., D) to (..., D)",
    },
    finds=sums.finds,
    results=("result", "number of calls of sublayer", "number of calls of norm"),
    landmarks=(
        _landmark("x + sublayer(x): the norm was not used", lambda x, f, n: x + f(x)),
        _landmark("sublayer(x) alone", lambda x, f, n: f(x)),
        _landmark("norm(x) alone", lambda x, f, n: n(x)),
        _landmark("sublayer(norm(x)): x was not added", lambda x, f, n: f(n(x))),
        _landmark("norm(sublayer(x)): x was not added", lambda x, f, n: n(f(x))),
        _landmark(
            "sublayer(norm(x)) + norm(x): the normalised x was added",
            lambda x, f, n: f(n(x)) + n(x),
        ),
        _landmark(
            "x + norm(sublayer(x)): the norm reaches the sub-layer's output only",
            lambda x, f, n: x + n(f(x)),
        ),
        _landmark("norm(x) + sublayer(x)", lambda x, f, n: n(x) + f(x)),
        _landmark("pre-norm, x + sublayer(norm(x))", lambda x, f, n: x + f(n(x))),
        _landmark("post-norm, norm(x + sublayer(x))", lambda x, f, n: n(x + f(x))),
    ),
    axes=(("B", "S", "D"),),
)
