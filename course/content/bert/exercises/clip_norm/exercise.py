"""bert.clip_norm: all gradients made shorter by one factor, where together they are too long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, tags
from course.checking.exercise.cases import FLAT, FULL, SINGLE
from course.checking.exercise.draw import Draw
from course.content.bert.exercises.clip_norm import search


def as_results(clip_norm: Callable[..., Any]) -> Callable[..., Any]:
    """What the cases' arguments are given to: a list of tensors counts as several results."""

    def run(gradients: list[Tensor], max_norm: float) -> Any:
        clipped = clip_norm(gradients, max_norm)
        return tuple(clipped) if isinstance(clipped, list) else clipped

    return run


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(
        says: str,
        shapes: list[tuple[int, ...]],
        scale: float,
        share: float,
        *names: str,
        **more: Any,
    ) -> Case:
        """`share` of the joint norm is allowed; float64 where the norm is large, since torch adds 1e-6 to it."""
        gradients = [scale * draw.normal(1, *shape)[0] for shape in shapes]
        norm = float(torch.cat([g.flatten() for g in gradients]).norm())
        names = (
            *names,
            "gradients longer than max_norm" if share < 1 else "gradients that are short enough",
        )
        names = (*names, *(["a single gradient"] if len(shapes) == 1 else []))
        return Case((gradients, share * norm), says, {}, tags(*names), **FLAT | more)

    zero = [torch.zeros(2, 3, dtype=torch.float64), torch.zeros(4, dtype=torch.float64)]
    some = [torch.zeros(2, dtype=torch.float64), torch.tensor([300.0, -400.0], dtype=torch.float64)]
    return [
        Case((some, 100.0), "gradients (0, 0) and (300, -400), max_norm 100", {},
             tags("gradients longer than max_norm"), **FLAT),
        case("a matrix and a vector, twice too long", [(3, 4), (4,)], 300.0, 0.5),
        case("three gradients, ten times too long", [(2, 5), (5,), (5, 3)], 200.0, 0.1),
        case("two gradients, short enough", [(3, 2), (2,)], 200.0, 1.7),
        case("each short enough, together too long", [(4, 4), (4, 4), (4, 4)], 150.0, 0.8),
        case("one gradient, three times too long", [(6,)], 500.0, 1 / 3),
        case("a gradient that is a single number", [(), (3,)], 400.0, 0.4, "a gradient without axes"),
        Case((zero, 1.0), "gradients that are 0 throughout", {}, tags("zero gradients", "gradients that are short enough"), **FLAT),
        case("gradients of unit scale, max_norm as in BERT", [(8, 8), (8,)], 1.0, 0.3, **SINGLE),
        case("small gradients, short enough", [(5, 4), (4,)], 1e-3, 20.0, "small gradients", **FULL),
    ]  # fmt: skip


EXERCISE = Exercise(
    id="bert.clip_norm",
    signature="(gradients, max_norm)",
    minutes=10,
    difficulty=2,
    cases=_cases,
    finds=search.search,
    harness=as_results,
)
