"""attention.split_heads: cutting the width into heads."""

from __future__ import annotations

import re
from typing import Any

import torch

from course.checking.exercise import Case, Exercise, Mistake, Remark, tags
from course.checking.exercise.draw import Draw


def _split_cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(
        says: str, batch: int, length: int, nhead: int, d_head: int, *names: str, **more: Any
    ) -> Case:
        sizes = {"B": batch, "S": length, "H": nhead, "Dh": d_head}
        return Case(
            (draw.normal(batch, length, nhead * d_head), nhead), says, sizes, tags(*names), **more
        )

    return [
        case("1 sequence of 2 tokens, 2 heads of width 3", 1, 2, 2, 3),
        case("2 sequences of 5 tokens, 3 heads of width 4", 2, 5, 3, 4),
        case("3 sequences of 4 tokens, one head of width 6", 3, 4, 1, 6, "a single head"),
        case("2 sequences of 3 tokens, 5 heads of width 1", 2, 3, 5, 1, "heads of width 1"),
        case("1 sequence of 7 tokens, 12 heads of width 32", 1, 7, 12, 32, "the chapter's example"),
        case(
            "4 sequences of 6 tokens, 4 heads of width 6", 4, 6, 4, 6, "as many sequences as heads"
        ),
        Case(
            (draw.normal(2, 5, 12), 5),
            "d_model 12 and 5 heads",
            {},
            tags("a d_model that is no multiple of nhead"),
            ValueError,
            explained=True,
        ),
        Case(
            (draw.normal(1, 10, 4), 5),
            "d_model 4 and 5 heads",
            {},
            tags("a d_model that is no multiple of nhead"),
            ValueError,
            explained=True,
        ),
        Case(
            (draw.normal(2, 3, 7), 2),
            "d_model 7 and 2 heads",
            {},
            tags("a d_model that is no multiple of nhead"),
            ValueError,
            explained=True,
        ),
    ]


_TO_HEADS = "x.reshape(batch, length, nhead, d_model // nhead)"

EXERCISE = Exercise(
    id="attention.split_heads",
    signature="(x, nhead)",
    minutes=15,
    difficulty=2,
    cases=_split_cases,
    mistakes=(
        Mistake(
            "reshaped-not-transposed",
            (
                (_TO_HEADS, "x.reshape(batch, nhead, length, d_model // nhead)"),
                ("x.transpose(1, 2)", "x"),
            ),
            "`view` or `reshape` straight to (B, H, S, Dh) gives the right shape and mixes tokens with one another: "
            "a reshape reads the numbers in their old order.",
            "After the reshape, do the numbers of one head's row still come from one token?",
        ),
        Mistake(
            "not-transposed",
            (("x.transpose(1, 2)", "x"),),
            "The heads are cut and left behind the tokens: (B, S, H, Dh).",
            "Which axis should come right after the batch, so that every head is a matrix product of its own?",
        ),
        Mistake(
            "interleaved",
            ((_TO_HEADS, "x.reshape(batch, length, d_model // nhead, nhead).transpose(2, 3)"),),
            "Every head takes each H-th number of the width instead of a piece of neighbours.",
            "If d_model is 6 and there are 2 heads, which columns belong to head 0?",
        ),
        Mistake(
            "heads-and-width-exchanged",
            ((_TO_HEADS, "x.reshape(batch, length, d_model // nhead, nhead)"),),
            "The width is cut into Dh pieces of H numbers, not into H pieces of Dh.",
            "Into how many pieces is d_model cut, and how long is each?",
        ),
        Mistake(
            "no-error-of-its-own",
            (
                (
                    '        raise ValueError(f"d_model ({d_model}) must be a multiple of nhead ({nhead})")',
                    "        pass",
                ),
            ),
            "Where d_model is not a multiple of nhead, a RuntimeError is raised and not a ValueError: torch's own, about "
            "shapes, where nothing is checked first.",
            "Which error is asked for, and when can it be raised before anything goes wrong?",
        ),
        Mistake(
            "asserted",
            (
                (
                    "    if d_model % nhead != 0:\n        raise ValueError(",
                    "    assert d_model % nhead == 0, (",
                ),
            ),
            "An `assert` raises AssertionError (and vanishes when Python runs with -O). Asked is ValueError.",
            "Which statement raises the error that the exercise names?",
        ),
        Mistake(
            "says-nothing",
            (
                (
                    'raise ValueError(f"d_model ({d_model}) must be a multiple of nhead ({nhead})")',
                    "raise ValueError",
                ),
            ),
            "The ValueError has no message: whoever meets it sees a bare name and has to guess what is wrong.",
            "Which two numbers would you want to read in the error, if somebody else had called the function?",
        ),
        Mistake(
            "drops-the-rest",
            (
                ("    if d_model % nhead != 0:\n", "    if False:\n"),
                (
                    _TO_HEADS,
                    "x[..., : nhead * (d_model // nhead)].reshape(batch, length, nhead, d_model // nhead)",
                ),
            ),
            "Where d_model is no multiple of nhead, the columns that are left over are dropped in silence.",
            "What should happen instead of losing numbers?",
        ),
        Mistake(
            "check-turned-round",
            (("d_model % nhead != 0", "nhead % d_model != 0"),),
            "The check divides the number of heads by d_model.",
            "Which number must be a multiple of which?",
        ),
        Mistake(
            "keys-transposed",
            (("x.transpose(1, 2)", "x.permute(0, 2, 3, 1)"),),
            "Token and width are exchanged within each head: (B, H, Dh, S).",
            "Which axis stands last in (B, H, S, Dh)?",
        ),
        Mistake(
            "heads-first",
            (("x.transpose(1, 2)", "x.permute(2, 0, 1, 3)"),),
            "The heads stand before the batch: (H, B, S, Dh).",
            "Which axis stands first in (B, H, S, Dh)?",
        ),
        Mistake(
            "batch-and-heads-merged",
            (
                (
                    "x.transpose(1, 2)",
                    "x.transpose(1, 2).reshape(batch * nhead, length, d_model // nhead)",
                ),
            ),
            "Batch and heads are merged into one axis.",
            "How many axes has (B, H, S, Dh)?",
        ),
        Mistake(
            "a-list-of-heads",
            (
                ("x = " + _TO_HEADS, "pieces = list(x.chunk(nhead, dim=-1))"),
                ("x.transpose(1, 2)", "pieces"),
            ),
            "The result is a list (or tuple) with one tensor for each head.",
            "Which function stacks tensors along a new axis?",
        ),
        Mistake(
            "batch-second",
            (
                ("batch, length, d_model = x.shape", "length, batch, d_model = x.shape"),
                ("x.transpose(1, 2)", "x.permute(1, 2, 0, 3)"),
            ),
            "The first axis is taken for the length and the second for the batch, as in torch.nn without batch_first.",
            "Which axis of x is the batch?",
        ),
    ),
    hints=(
        "Each head gets a piece of neighbouring columns. Cut the last axis in two, then bring the heads in front of "
        "the tokens.",
        "(B, S, D) -> (B, S, H, Dh) -> (B, H, S, Dh). A reshape may cut or join neighbouring axes; only a transpose moves one.",
        "if D is no multiple of nhead: raise ValueError\nx <- x reshaped to (B, S, nhead, D // nhead)\nreturn x with axes 1 and 2 exchanged",
        "x.reshape(batch, length, nhead, d_model // nhead).transpose(1, 2)",
    ),
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
