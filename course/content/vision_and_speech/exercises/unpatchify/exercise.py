"""vision.unpatchify: patches put together again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from course.checking.exercise import Case, Exercise, tags
from course.checking.exercise.cases import holding
from course.checking.exercise.draw import Draw
from course.content import exercises
from course.content.vision_and_speech.exercises.images import OF_IMAGES
from course.content.vision_and_speech.exercises.numbered import Example, first_wrong_row


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(says: str, batch: int, channels: int, height: int, width: int, patch: int) -> Case:
        rows, columns = height // patch, width // patch
        sizes = {"B": batch, "C": channels, "height": height, "width": width, "patch": patch}
        sizes |= {"rows": rows, "columns": columns, "N": rows * columns}
        sizes["D"] = channels * patch * patch
        args = (draw.normal(batch, sizes["N"], sizes["D"]), patch, height, width)
        return Case(args, says, sizes, tags(*holding(OF_IMAGES, sizes)))

    return [
        case("2 x 3 patches of 2 x 2 pixels", 1, 1, 4, 6, 2),
        case("3 x 2 patches of 2 x 2 pixels with 2 channels", 1, 2, 6, 4, 2),
        case("2 images of 1 x 2 patches of 2 x 2 pixels with 3 channels", 2, 3, 2, 4, 2),
        case("2 images of 3 x 2 patches of 3 x 3 pixels with 4 channels", 2, 4, 9, 6, 3),
        case("3 square images of 2 x 2 patches of 4 x 4 pixels with 2 channels", 3, 2, 8, 8, 4),
        case("2 images of 3 x 5 patches of one pixel with 2 channels", 2, 2, 3, 5, 1),
        case("3 images of one patch of 3 x 3 pixels with 2 channels", 3, 2, 3, 3, 3),
        case("2 images of a single row of patches of 3 x 3 pixels with 2 channels", 2, 2, 3, 12, 3),
        case("2 images of a single column of patches of 2 x 2 pixels with 3 channels", 2, 3, 8, 2, 2),
        case("2 images of 1 x 4 patches of 2 x 2 pixels with one channel", 2, 1, 2, 8, 2),
        case("4 images of 3 x 2 patches of 4 x 4 pixels with 3 channels", 4, 3, 12, 8, 4),
    ]  # fmt: skip


def _numbered(channels: int, height: int, width: int, patch: int) -> Example:
    count = height // patch * (width // patch)
    size = channels * patch * patch
    patches = torch.arange(count * size, dtype=torch.float64).reshape(1, count, size)
    deep = f", {channels} channels" if channels > 1 else ""
    says = f"where the patches count their numbers from 0 on (patch {patch}, height {height}, width {width}{deep})"
    return says, (patches, patch, height, width)


def _finds(function: Callable[..., Any], failed: Sequence[Case]) -> list[str]:
    """Numbered patches: the first row of pixels that holds others than it should."""
    model = exercises.get("vision.unpatchify").model()
    for of in ((1, 4, 6, 2), (2, 2, 2, 2), (2, 2, 4, 2), (1, 6, 4, 2), (3, 6, 6, 3)):
        height = of[1]

        def row(number: int, height: int = height, deep: bool = of[0] > 1) -> str:
            channel = f"channel {number // height}" if deep else "the image"
            return f"row {number % height} of {channel}"

        found = first_wrong_row(function, model, [_numbered(*of)], row)
        if found:
            return found
    return []


EXERCISE = Exercise(
    id="vision.unpatchify",
    signature="(patches, patch, height, width)",
    minutes=12,
    difficulty=2,
    cases=_cases,
    finds=_finds,
    axes=(("B", "C", "height", "width"),),
)
