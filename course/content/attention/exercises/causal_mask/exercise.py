"""attention.causal_mask: the causal mask."""

from __future__ import annotations

import torch

from course.checking.exercise import Case, Exercise, Landmark, tags


def _causal_cases(seed: int) -> list[Case]:
    cases = [
        Case(
            (length,),
            f"length {length}",
            {"length": length},
            tags("length 1") if length == 1 else tags(),
        )
        for length in (2, 3, 1, 4, 5, 8, 13, 300)
    ]
    return [
        *cases,
        Case((2100,), "length 2100", {"length": 2100}, tags("a long sequence"), heavy=True),
    ]


EXERCISE = Exercise(
    id="attention.causal_mask",
    signature="(length)",
    minutes=5,
    difficulty=1,
    cases=_causal_cases,
    landmarks=(
        Landmark("the diagonal alone", lambda n: torch.eye(n, dtype=torch.bool)),
        Landmark("everything but the diagonal", lambda n: ~torch.eye(n, dtype=torch.bool)),
        Landmark(
            "only the very next token, not all that follow",
            lambda n: torch.eye(n, dtype=torch.bool).roll(1, 1).triu(1),
        ),
    ),
    axes=(("query", "key"),),
)
