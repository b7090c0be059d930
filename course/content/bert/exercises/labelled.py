"""Logits and labels for the exercises on the loss at the masked places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, tags
from course.checking.exercise.cases import FULL, holding
from course.checking.exercise.draw import Draw

NONE = "no label at all"
_OF_SIZES = {"one sentence": "B = 1", "as many places as words": "S = V"}


def cases(seed: int) -> list[Case]:
    """Cases of logits (B, S, V) and labels (B, S); every sentence has another number of labels."""
    draw = Draw(seed)

    def case(
        says: str,
        sizes: tuple[int, int, int],
        counts: list[int],
        *names: str,
        scale: float = 1.0,
        likeliest: bool = False,
        change: Callable[[Tensor], None] | None = None,
        **more: Any,
    ) -> Case:
        batch, length, words = sizes
        logits = scale * draw.normal(*sizes)
        labels = torch.full((batch, length), -100)
        for row, count in enumerate(counts):
            places = torch.randperm(length, generator=draw.generator)[:count]
            drawn = torch.randint(words, (count,), generator=draw.generator)
            labels[row, places] = logits[row, places].argmax(dim=-1) if likeliest else drawn
        if change is not None:
            change(labels)
        names = (*names, *holding(_OF_SIZES, dict(zip("BSV", sizes, strict=True))))
        names = (*names, *([NONE] if not sum(counts) and change is None else []))
        named = dict(zip("BSV", sizes, strict=True))
        return Case((logits, labels), says, named, tags(*names), **more)

    def zeros(labels: Tensor) -> None:
        labels[0, 1] = labels[1, 0] = labels[1, 2] = 0

    def last(labels: Tensor) -> None:
        labels[:, -1] = 6

    return [
        case("1 sentence of 3 places, 1 label, 4 words", (1, 3, 4), [1]),
        case("2 sentences of 4 places with 1 and 3 labels", (2, 4, 6), [1, 3]),
        case("3 sentences of 5 places, one without a label", (3, 5, 7), [2, 0, 4],
             "a sentence without labels"),
        case("a label at every place", (2, 3, 5), [3, 3], "a label at every place"),
        case("no label at all", (2, 3, 4), [0, 0]),
        case("labels that are the id 0", (2, 4, 5), [0, 0], "labels that are 0", change=zeros),
        case("as many places as words", (2, 6, 6), [2, 5]),
        case("labels that are the last id", (3, 4, 7), [0, 0, 0], "labels that are the last id",
             change=last),
        case("logits in the hundreds", (2, 3, 5), [2, 1], "large logits", scale=300.0, **FULL),
        case("logits in the hundreds, and each label the likeliest word", (2, 3, 5), [2, 1],
             "large logits", scale=300.0, likeliest=True, **FULL),  # no probability that is asked for is 0
        case("4 sentences of 9 places, 40 words", (4, 9, 40), [1, 2, 6, 1]),
    ]  # fmt: skip
