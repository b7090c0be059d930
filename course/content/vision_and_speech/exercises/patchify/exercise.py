"""vision.patchify: an image as a sequence of patches."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import torch

from course.checking.exercise import Case, Exercise, Remark, tags
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
        args = (draw.normal(batch, channels, height, width), patch)
        return Case(args, says, sizes, tags(*holding(OF_IMAGES, sizes)))

    def refused(batch: int, channels: int, height: int, width: int, patch: int) -> Case:
        says = f"an image of {height} x {width} pixels and patches of {patch} x {patch}"
        names = tags("a side that is no multiple of patch")
        args = (draw.normal(batch, channels, height, width), patch)
        return Case(args, says, {}, names, ValueError, explained=True)

    return [
        case("an image of 4 x 6 pixels, patches of 2 x 2", 1, 1, 4, 6, 2),
        case("an image of 6 x 4 pixels with 2 channels, patches of 2 x 2", 1, 2, 6, 4, 2),
        case("2 images of 2 x 4 pixels with 3 channels, patches of 2 x 2", 2, 3, 2, 4, 2),
        case("2 images of 9 x 6 pixels with 4 channels, patches of 3 x 3", 2, 4, 9, 6, 3),
        case("3 square images of 8 x 8 pixels with 2 channels, patches of 4 x 4", 3, 2, 8, 8, 4),
        case("2 images of 3 x 5 pixels with 2 channels, patches of one pixel", 2, 2, 3, 5, 1),
        case("3 images of 3 x 3 pixels with 2 channels, each one patch", 3, 2, 3, 3, 3),
        case("2 images of 3 x 12 pixels with 2 channels, a single row of patches", 2, 2, 3, 12, 3),
        case("2 images of 8 x 2 pixels with 3 channels, a single column of patches", 2, 3, 8, 2, 2),
        case("2 images of 6 x 6 pixels with 3 channels, patches of 3 x 3", 2, 3, 6, 6, 3),
        case("4 images of 12 x 8 pixels with 3 channels, patches of 4 x 4", 4, 3, 12, 8, 4),
        refused(2, 1, 5, 4, 2),
        refused(1, 3, 4, 5, 2),
        refused(2, 2, 7, 5, 3),
        refused(1, 2, 3, 6, 2),
        refused(1, 2, 2, 8, 4),
        refused(2, 1, 6, 3, 6),
    ]


def _numbered(batch: int, channels: int, height: int, width: int, patch: int) -> Example:
    count = batch * channels * height * width
    images = torch.arange(count, dtype=torch.float64).reshape(batch, channels, height, width)
    what = (
        f"image of {height} x {width} pixels"
        if batch == 1
        else f"{batch} images of {height} x {width} pixels"
    )
    deep = f" with {channels} channels" if channels > 1 else ""
    article = "an " if batch == 1 else ""
    how = "counts its pixels" if batch == 1 else "count their pixels"
    says = f"of {article}{what}{deep} that {how} from 0 on, with patches of {patch} x {patch}"
    return says, (images, patch)


def _finds(function: Callable[..., Any], failed: Sequence[Case]) -> list[str]:
    """Numbered pixels: the first patch that holds others than it should."""
    sizes = (
        (1, 1, 4, 6, 2),
        (1, 2, 2, 2, 2),
        (1, 2, 2, 4, 2),
        (2, 1, 2, 4, 2),
        (1, 1, 6, 4, 2),
        (1, 3, 6, 6, 3),
    )
    examples = [_numbered(*of) for of in sizes]
    model = exercises.get("vision.patchify").model()
    return first_wrong_row(function, model, examples, lambda number: f"patch {number}")


EXERCISE = Exercise(
    id="vision.patchify",
    signature="(images, patch)",
    minutes=12,
    difficulty=1,
    cases=_cases,
    finds=_finds,
    axes=(("B", "N", "D"),),
    remarks=(
        Remark(
            "error-without-numbers",
            Case(
                (torch.zeros(2, 3, 10, 15, dtype=torch.float64), 4),
                "an image of 10 x 15 pixels and patches of 4 x 4",
                raises=ValueError,
            ),
            lambda came, wanted: not re.search(r"\b(10|15|4)\b", came),
            "The error's message names no size as a number. Whoever meets it in a log wants to know which image did not "
            "fit which patch: put the height, the width and the patch into the text.",
        ),
    ),
)
