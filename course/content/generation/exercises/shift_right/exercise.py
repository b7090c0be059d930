"""generation.shift_right: what a decoder reads while it is trained."""

from __future__ import annotations

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.cases import holding

_OF_SIZES = {"a single text": "B = 1", "a single token": "T = 1"}


def _cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(7919 * seed + 12345)

    def case(
        says: str, targets: Tensor, bos: int, *names: str, dtype: torch.dtype = torch.int64
    ) -> Case:
        sizes = {"B": targets.shape[0], "T": targets.shape[1], "bos_id": bos}
        names = (*names, *holding(_OF_SIZES, sizes))
        return Case((targets.to(dtype), bos), says, sizes, tags(*names))

    def drawn(batch: int, length: int) -> Tensor:
        return torch.randint(5, 90, (batch, length), generator=generator)

    padded = torch.tensor([[7, 8, 9, 2], [5, 2, 0, 0], [6, 9, 2, 0]])
    ends_alike = torch.tensor([[4, 9, 4], [7, 5, 7]])
    return [
        case("one text of 3 tokens", torch.tensor([[5, 6, 2]]), 1),
        case("two texts of 4 tokens", drawn(2, 4), 1),
        case("three texts, two of them with padding at the end", padded, 1, "padding at the end"),
        case("texts that begin and end alike", ends_alike, 3),
        case("bos_id is the largest id", drawn(3, 5), 97),
        case("a bos_id of 0", drawn(2, 3), 0, "a bos_id of 0"),
        case("as many texts as tokens", drawn(4, 4), 1),
        case("texts of a single token", drawn(3, 1), 1),
        case("one text of a single token", torch.tensor([[2]]), 1),
        case("int32 ids", drawn(2, 5), 1, "int32 ids", dtype=torch.int32),
        case("int16 ids", drawn(3, 4), 1, "int16 ids", dtype=torch.int16),
        case("20 texts of 30 tokens", drawn(20, 30), 1),
    ]


EXERCISE = Exercise(
    id="generation.shift_right",
    signature="(targets, bos_id)",
    minutes=8,
    difficulty=1,
    cases=_cases,
    landmarks=(
        Landmark("targets itself: nothing was shifted", lambda targets, bos_id: targets),
        Landmark(
            "the targets without their first column: they were shifted to the left",
            lambda targets, bos_id: targets[:, 1:],
        ),
    ),
    axes=(("B", "T"),),
)
