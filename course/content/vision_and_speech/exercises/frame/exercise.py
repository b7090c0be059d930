"""speech.frame: a signal as a sequence of overlapping frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from course.checking.exercise import Case, Exercise, tags
from course.checking.exercise.cases import FLAT, holding
from course.checking.exercise.draw import Draw

_OF_SIZES = {
    "a single signal": "B = 1",
    "frames of one sample": "size = 1",
    "a hop of one sample": "hop = 1",
    "frames that overlap": "hop < size",
    "frames that do not overlap": "hop = size",
    "a hop larger than the frames": "hop > size",
    "a signal of one frame": "N = 1",
    "a signal shorter than a frame": "N = 0",
    "as many frames as samples in each": "N = size",
}


def _names(sizes: dict[str, int]) -> Iterator[str]:
    yield from holding(_OF_SIZES, sizes)
    if sizes["N"]:
        rest = (sizes["samples"] - sizes["size"]) % sizes["hop"]
        yield "samples left over" if rest else "a last frame that ends with the signal"


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(batch: int, samples: int, size: int, hop: int) -> Case:
        count = max(0, (samples - size) // hop + 1)
        sizes = {"B": batch, "samples": samples, "size": size, "hop": hop, "N": count}
        many = f"{batch} signals" if batch > 1 else "a signal"
        says = f"{many} of {samples} samples, size {size}, hop {hop}"
        more: dict[str, Any] = FLAT if count == 0 else {}  # nothing of it is in the result
        args = (draw.normal(batch, samples), size, hop)
        return Case(args, says, sizes, tags(*_names(sizes)), **more)

    return [
        case(1, 5, 3, 2),
        case(1, 7, 4, 2),
        case(2, 8, 4, 2),
        case(3, 10, 4, 3),
        case(2, 9, 3, 3),
        case(2, 11, 3, 3),
        case(2, 12, 2, 5),
        case(3, 13, 3, 4),
        case(2, 6, 5, 1),
        case(2, 7, 1, 1),
        case(2, 9, 1, 4),
        case(3, 4, 4, 3),
        case(2, 6, 4, 3),
        case(2, 3, 4, 2),
        case(3, 4, 5, 1),
        case(1, 2, 7, 3),
        case(2, 3, 5, 8),
        case(2, 40, 12, 5),
        case(4, 30, 6, 4),
    ]


EXERCISE = Exercise(
    id="speech.frame",
    signature="(signal, size, hop)",
    minutes=12,
    difficulty=1,
    cases=_cases,
    axes=(("B", "N", "size"),),
)
