"""attention.padding_mask: the padding mask."""

from __future__ import annotations

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, tags
from course.checking.exercise.cases import holding
from course.checking.exercise.draw import Draw

_OF_SIZES = {
    "an empty sequence": "shortest = 0",
    "no padding": "shortest = S; S > 1",
    "a single token": "S = 1",
    "a long sequence": "S > 2000",
    "as many sequences as places": "B = S; B > 2",
}


def _case(says: str, lengths: Tensor, length: int, *names: str) -> Case:
    sizes = {"B": len(lengths), "S": length}
    names = (*names, *holding(_OF_SIZES, sizes | {"shortest": int(lengths.min())}))
    return Case((lengths, length), says, sizes, tags(*names))


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    some = torch.randint(1, 9, (5,), generator=draw.generator)
    some[0] = 3  # never all the same, never all full
    int32 = torch.tensor([3, 1], dtype=torch.int32)
    above, same = "max_length above every length", "a second batch of the same size"
    return [
        _case("lengths 2 and 3 of at most 3", torch.tensor([2, 3]), 3),
        _case("lengths 1, 4 and 2 of at most 6", torch.tensor([1, 4, 2]), 6, above),
        _case("an empty sequence and a full one", torch.tensor([0, 5]), 5),
        _case("one sequence without padding", torch.tensor([4]), 4),
        _case("lengths in int32", int32, 4, "int32 lengths"),
        _case("lengths 3 and 1 of at most 3", torch.tensor([3, 1]), 3, same),
        _case("a single token", torch.tensor([1]), 1),
        _case("lengths 2085 and 7 of at most 2100", torch.tensor([2085, 7]), 2100),
        _case("five sequences", some, 9),
        _case("three sequences, three places", torch.tensor([3, 2, 1]), 3),
    ]


EXERCISE = Exercise(
    id="attention.padding_mask",
    signature="(lengths, max_length)",
    minutes=10,
    difficulty=1,
    cases=_cases,
    axes=(("B", "S"),),
)
