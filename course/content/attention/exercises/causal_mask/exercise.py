"""attention.causal_mask: the causal mask."""

from __future__ import annotations

import torch

from course.checking.exercise import Case, Exercise, Landmark, Mistake, tags


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
    mistakes=(
        Mistake(
            "blocks-itself",
            (("diagonal=1", "diagonal=0"),),
            "The diagonal is blocked too: no token may look at itself, and the first may look at nothing.",
            "Is a token's own place part of its future?",
        ),
        Mistake(
            "true-means-allowed",
            ((".triu(diagonal=1)", ".tril()"),),
            "True stands where attention is allowed. Here, as in torch.nn, True means blocked.",
            "Should the entry for the last query and the first key be True?",
        ),
        Mistake(
            "blocks-the-past",
            ((".triu(diagonal=1)", ".tril(diagonal=-1)"),),
            "The past is blocked and the future is free.",
            "In row i, are the columns after i the past or the future?",
        ),
        Mistake(
            "one-step-ahead-allowed",
            (("diagonal=1", "diagonal=2"),),
            "Every token may look one step into the future.",
            "By which number must the diagonal be moved so that the first blocked column of row 0 is column 1?",
        ),
        Mistake(
            "too-strict-by-one",
            (("diagonal=1", "diagonal=-1"),),
            "Even the token just before is blocked.",
            "May token 3 look at token 2?",
        ),
        Mistake(
            "not-boolean",
            ((", dtype=torch.bool", ""),),
            "The mask holds the numbers 0 and 1 and not booleans.",
            "What does `masked_fill` take?",
        ),
        Mistake(
            "additive",
            (
                (
                    "torch.ones(length, length, dtype=torch.bool)",
                    'torch.full((length, length), float("-inf"))',
                ),
            ),
            "This is an additive mask of 0 and -inf. Asked is the boolean one.",
            "What is the dtype of the result that the exercise names?",
        ),
        Mistake(
            "blocks-nothing",
            (("torch.ones", "torch.zeros"),),
            "Nothing is blocked.",
            "What does the upper triangle of a matrix of zeros hold?",
        ),
        Mistake(
            "blocks-everything",
            ((".triu(diagonal=1)", ""),),
            "Everything is blocked.",
            "Which part of the square is the future?",
        ),
        Mistake(
            "extra-axis",
            (("triu(diagonal=1)", "triu(diagonal=1).unsqueeze(0)"),),
            "The mask has an extra axis of size 1 in front.",
            "Which shape is asked for?",
        ),
        Mistake(
            "fixed-length",
            (("length, length", "6, 6"),),
            "The length is written into the code.",
            "What should causal_mask(3) look like?",
        ),
        Mistake(
            "anti-diagonal",
            (("triu(diagonal=1)", "triu(diagonal=1).flip(1)"),),
            "The triangle stands on the wrong diagonal, the one from top right to bottom left.",
            "Which entries belong to token i looking at itself?",
        ),
        Mistake(
            "whole-numbers",
            (("torch.bool", "torch.int64"),),
            "The mask holds whole numbers and not booleans.",
            "What does `masked_fill` take?",
        ),
    ),
    hints=(
        "Row i is the query at place i. It may look at the places 0 to i and at none after that.",
        "A (length, length) tensor of dtype torch.bool: True above the diagonal, False on it and below.",
        "for every i, j:  mask[i, j] <- (j > i)",
        "torch.ones(length, length, dtype=torch.bool).triu(diagonal=1)",
    ),
    axes=(("query", "key"),),
)
