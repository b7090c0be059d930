"""bert.learning_rate: linear warm-up, linear decay."""

from __future__ import annotations

import math
from collections.abc import Callable

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.content.bert.exercises.learning_rate import search


def _cases(seed: int) -> list[Case]:
    def case(says: str, step: int, warmup: int, total: int, peak: float) -> Case:
        names = [
            name
            for name, holds in (
                ("step 0", step == 0),
                ("a step within the warm-up", 0 < step < warmup),
                ("the step that ends the warm-up", step == warmup > 0),
                ("a step of the decay", warmup < step < total),
                ("the last step", step == total),
                ("a step after the end", step > total),
                ("no warm-up", warmup == 0),
            )
            if holds
        ]
        sizes = {"step": step, "warmup": warmup, "total": total}
        return Case((step, warmup, total, peak), says, sizes, tags(*names))

    return [
        case("step 0 of 10, 4 of warm-up", 0, 4, 10, 2.0),
        case("step 1 of 10, 4 of warm-up", 1, 4, 10, 2.0),
        case("step 3 of 11, 5 of warm-up", 3, 5, 11, 1.5),
        case("step 3 of 20, 5 of warm-up, peak 11", 3, 5, 20, 11.0),
        case("the step that ends the warm-up", 4, 4, 10, 2.0),
        case("step 5 of 10, 4 of warm-up", 5, 4, 10, 2.0),
        case("step 9 of 10, 4 of warm-up", 9, 4, 10, 2.0),
        case("step 70 of 97, 13 of warm-up", 70, 13, 97, 3e-4),
        case("the last step", 10, 4, 10, 2.0),
        case("a step after the end", 13, 4, 10, 2.0),
        case("far after the end", 500, 4, 10, 2.0),
        case("no warm-up, step 0", 0, 0, 8, 3.0),
        case("no warm-up, step 3 of 8", 3, 0, 8, 3.0),
        case("BERT's: step 5,000 of 1,000,000", 5000, 10_000, 1_000_000, 1e-4),
        case("BERT's: step 505,000 of 1,000,000", 505_000, 10_000, 1_000_000, 1e-4),
        case("a warm-up of one step less than all", 6, 7 + seed % 3, 8 + seed % 3, 1.0),
    ]


def _decay(of: Callable[[float], float]) -> Callable[..., float]:
    """The schedule whose decay is `of` the share of it that is over."""

    def rate(step: int, warmup: int, total: int, peak: float) -> float:
        if step < warmup:
            return peak * step / warmup
        return peak * of(min(1.0, (step - warmup) / (total - warmup)))

    return rate


EXERCISE = Exercise(
    id="bert.learning_rate",
    signature="(step, warmup, total, peak)",
    minutes=10,
    difficulty=1,
    cases=_cases,
    finds=search.search,
    landmarks=(
        Landmark("a decay along a cosine", _decay(lambda t: (1 + math.cos(math.pi * t)) / 2)),
        Landmark("a decay with the square of what is left", _decay(lambda t: (1 - t) ** 2)),
    ),
)
