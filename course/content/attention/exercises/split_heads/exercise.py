"""attention.split_heads: cutting the width into heads."""

from __future__ import annotations

import re

import torch

from course.checking.exercise import Case, Exercise, Remark, tags
from course.checking.exercise.cases import holding
from course.checking.exercise.draw import Draw
from course.content.attention.exercises.heads import OF_HEADS


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(says: str, batch: int, length: int, nhead: int, d_head: int) -> Case:
        sizes = {"B": batch, "S": length, "H": nhead, "Dh": d_head}
        args = (draw.normal(batch, length, nhead * d_head), nhead)
        return Case(args, says, sizes, tags(*holding(OF_HEADS, sizes)))

    def refused(batch: int, length: int, width: int, nhead: int) -> Case:
        args, says = (
            (draw.normal(batch, length, width), nhead),
            f"d_model {width} and {nhead} heads",
        )
        no_multiple = tags("a d_model that is no multiple of nhead")
        return Case(args, says, {}, no_multiple, ValueError, explained=True)

    return [
        case("1 sequence of 2 tokens, 2 heads of width 3", 1, 2, 2, 3),
        case("2 sequences of 5 tokens, 3 heads of width 4", 2, 5, 3, 4),
        case("3 sequences of 4 tokens, one head of width 6", 3, 4, 1, 6),
        case("2 sequences of 3 tokens, 5 heads of width 1", 2, 3, 5, 1),
        case("1 sequence of 7 tokens, 12 heads of width 32", 1, 7, 12, 32),
        case("4 sequences of 6 tokens, 4 heads of width 6", 4, 6, 4, 6),
        refused(2, 5, 12, 5),
        refused(1, 10, 4, 5),
        refused(2, 3, 7, 2),
    ]


EXERCISE = Exercise(
    id="attention.split_heads",
    signature="(x, nhead)",
    minutes=15,
    difficulty=2,
    cases=_cases,
    axes=(("B", "H", "S", "Dh"),),
    remarks=(
        Remark(
            "error-without-numbers",
            Case(
                (torch.zeros(2, 5, 12, dtype=torch.float64), 5),
                "d_model 12 and 5 heads",
                raises=ValueError,
            ),
            lambda came, wanted: not re.search(r"\b(12|5|2)\b", came),
            "The error's message names neither d_model nor nhead as a number. Where the sizes come from a "
            "configuration, whoever reads it in a log wants to know which they were: put both into the text.",
        ),
    ),
)
