"""speech.frame: a signal as a sequence of overlapping frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from course.checking.exercise import Case, Exercise, tags
from course.checking.exercise.cases import FLAT, holding
from course.checking.exercise.draw import Draw
from course.content import exercises
from course.content.vision_and_speech.exercises.numbered import Example, first_wrong_row

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


def _numbered(batch: int, samples: int, size: int, hop: int) -> Example:
    signal = torch.arange(batch * samples, dtype=torch.float64).reshape(batch, samples)
    what = (
        f"a signal of {samples} samples" if batch == 1 else f"{batch} signals of {samples} samples"
    )
    how = "counts" if batch == 1 else "count"
    return f"of {what} that {how} from 0 on, with size {size} and hop {hop}", (signal, size, hop)


def _finds(function: Callable[..., Any], failed: Sequence[Case]) -> list[str]:
    """Numbered samples: the first frame that holds others than it should."""
    sizes = ((1, 7, 3, 2), (1, 8, 4, 2), (1, 9, 2, 3), (2, 4, 3, 1), (1, 9, 3, 3), (1, 3, 1, 1))
    examples = [_numbered(*of) for of in sizes]
    model = exercises.get("speech.frame").model()
    return first_wrong_row(function, model, examples, lambda number: f"frame {number}")


EXERCISE = Exercise(
    id="speech.frame",
    signature="(signal, size, hop)",
    minutes=12,
    difficulty=1,
    cases=_cases,
    finds=_finds,
    axes=(("B", "N", "size"),),
)
