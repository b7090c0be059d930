"""generation.cached_step: what it computes, in one line."""

from __future__ import annotations

from course.checking.exercise import Case, Exercise, tags
from course.checking.exercise.cases import holding
from course.checking.exercise.draw import Draw

_OF_SIZES = {"a single row": "N = 1"}


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(says: str, length: int, width: int) -> Case:
        sizes = {"N": length, "D": width}
        x = draw.normal(length, width)
        return Case((x,), says, sizes, tags(*holding(_OF_SIZES, sizes)))

    return [
        case("two rows of three numbers", 2, 3),
        case("a single row", 1, 5),
    ]


EXERCISE = Exercise(
    id="generation.cached_step",
    signature="(x)",
    minutes=10,
    difficulty=1,
    cases=_cases,
    axes=(("N", "D"),),
)
