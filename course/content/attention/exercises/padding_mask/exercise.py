"""attention.padding_mask: the padding mask."""

from __future__ import annotations

import torch

from course.checking.exercise import Case, Exercise, tags
from course.checking.exercise.draw import Draw


def _padding_cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    some = torch.randint(1, 9, (5,), generator=draw.generator)
    some[0] = 3  # never all the same, never all full
    return [
        Case((torch.tensor([2, 3]), 3), "lengths 2 and 3 of at most 3", {"B": 2, "S": 3}),
        Case(
            (torch.tensor([1, 4, 2]), 6),
            "lengths 1, 4 and 2 of at most 6",
            {"B": 3, "S": 6},
            tags("max_length above every length"),
        ),
        Case(
            (torch.tensor([0, 5]), 5),
            "an empty sequence and a full one",
            {"B": 2, "S": 5},
            tags("an empty sequence"),
        ),
        Case(
            (torch.tensor([4]), 4),
            "one sequence without padding",
            {"B": 1, "S": 4},
            tags("no padding"),
        ),
        Case(
            (torch.tensor([3, 1], dtype=torch.int32), 4),
            "lengths in int32",
            {"B": 2, "S": 4},
            tags("int32 lengths"),
        ),
        Case(
            (torch.tensor([3, 1]), 3),
            "lengths 3 and 1 of at most 3",
            {"B": 2, "S": 3},
            tags("a second batch of the same size"),
        ),
        Case((torch.tensor([1]), 1), "a single token", {"B": 1, "S": 1}, tags("a single token")),
        Case(
            (torch.tensor([2085, 7]), 2100),
            "lengths 2085 and 7 of at most 2100",
            {"B": 2, "S": 2100},
            tags("a long sequence"),
        ),
        Case((some, 9), "five sequences", {"B": 5, "S": 9}),
        Case(
            (torch.tensor([3, 2, 1]), 3),
            "three sequences, three places",
            {"B": 3, "S": 3},
            tags("as many sequences as places"),
        ),
    ]


EXERCISE = Exercise(
    id="attention.padding_mask",
    signature="(lengths, max_length)",
    minutes=10,
    difficulty=1,
    cases=_padding_cases,
    axes=(("B", "S"),),
)
