"""vision.patchify: an image as a sequence of patches."""

from __future__ import annotations

import re

import torch

from course.checking.exercise import Case, Exercise, Remark, tags
from course.checking.exercise.cases import holding
from course.checking.exercise.draw import Draw
from course.content.vision_and_speech.exercises.images import OF_IMAGES


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(says: str, batch: int, channels: int, height: int, width: int, patch: int) -> Case:
        rows, columns = height // patch, width // patch
        sizes = {"B": batch, "C": channels, "height": height, "width": width, "patch": patch}
        sizes |= {"rows": rows, "columns": columns, "N": rows * columns}
        sizes["D"] = channels * patch * patch
        args = (draw.normal(batch, channels, height, width), patch)
        return Case(args, says, sizes, tags(*holding(OF_IMAGES, sizes)))

    def refused(batch: int, channels: int, height: int, width: int, patch: int, *what: str) -> Case:
        says = f"an image of {height} x {width} pixels and patches of {patch} x {patch}"
        names = tags("a side that is no multiple of patch", *what)
        args = (draw.normal(batch, channels, height, width), patch)
        return Case(args, says, {}, names, ValueError, explained=True)

    height, width = "a height that is no multiple of patch", "a width that is no multiple of patch"
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
        refused(2, 1, 5, 4, 2, height),
        refused(1, 3, 4, 5, 2, width),
        refused(2, 2, 7, 5, 3, height, width),
        refused(1, 2, 3, 6, 2, height),
        refused(1, 2, 2, 8, 4, height),
        refused(2, 1, 6, 3, 6, width),
    ]


EXERCISE = Exercise(
    id="vision.patchify",
    signature="(images, patch)",
    minutes=12,
    difficulty=1,
    cases=_cases,
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
