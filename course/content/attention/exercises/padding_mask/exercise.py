"""attention.padding_mask: the padding mask."""

from __future__ import annotations

import torch

from course.checking.exercise import Case, Exercise, Mistake, tags
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
    mistakes=(
        Mistake(
            "one-too-few",
            (("positions >= ", "positions > "),),
            "The first padding place is taken for a real token: with length 2 the real places are 0 and 1.",
            "Which is the index of the last real token of a sequence of length 2?",
        ),
        Mistake(
            "one-too-many",
            (
                (
                    "torch.arange(max_length, device=lengths.device)",
                    "torch.arange(1, max_length + 1, device=lengths.device)",
                ),
            ),
            "The last real token is taken for padding: the places are counted from 1.",
            "Which index has the first token?",
        ),
        Mistake(
            "true-means-real",
            (
                ("return positions", "return ~(positions"),
                ("lengths.unsqueeze(1)", "lengths.unsqueeze(1))"),
            ),
            "True stands at the real tokens. Here True means padding.",
            "Should the first entry of a sequence of length 2 be True?",
        ),
        Mistake(
            "padding-on-the-left",
            (
                (
                    "positions >= lengths.unsqueeze(1)",
                    "positions < max_length - lengths.unsqueeze(1)",
                ),
            ),
            "The padding is put on the left of the sequence.",
            "Do the tokens of a shorter sequence stand at its beginning or at its end?",
        ),
        Mistake(
            "a-full-text-all-padding",
            (
                (
                    "positions >= lengths.unsqueeze(1)",
                    "(positions >= lengths.unsqueeze(1)) | (lengths == max_length).unsqueeze(1)",
                ),
            ),
            "A text that fills all places comes out as padding throughout: `row[-n:]` with n = 0 is the whole row, "
            "and not nothing.",
            "Which places does `row[-0:]` take?",
        ),
        Mistake(
            "turned",
            (("positions >= lengths.unsqueeze(1)", "(positions >= lengths.unsqueeze(1)).T"),),
            "The axes are exchanged: (S, B) instead of (B, S).",
            "What should a row of the mask belong to?",
        ),
        Mistake(
            "longest-instead-of-max-length",
            (("torch.arange(max_length", "torch.arange(int(lengths.max())"),),
            "The mask is as long as the longest sequence, whatever max_length says.",
            "How wide is the mask for lengths [1, 2] and max_length 5?",
        ),
        Mistake(
            "on-the-cpu",
            ((", device=lengths.device", ""),),
            "The places are made on the CPU; on a GPU the comparison would fail.",
            "Which argument of torch.arange says where its result lives?",
        ),
        Mistake(
            "not-boolean",
            (
                (
                    "return positions >= lengths.unsqueeze(1)",
                    "return (positions >= lengths.unsqueeze(1)).float()",
                ),
            ),
            "The mask holds the numbers 0 and 1 and not booleans.",
            "What does `masked_fill` take?",
        ),
        Mistake(
            "without-an-axis",
            (("lengths.unsqueeze(1)", "lengths"),),
            "lengths (B,) is compared with the places (S,) directly: the two axes are taken for one.",
            "Which shapes broadcast to (B, S)?",
        ),
        Mistake(
            "only-the-first-padding",
            (("positions >= ", "positions == "),),
            "Only the first padding place is marked.",
            "Are the places after it padding too?",
        ),
        Mistake(
            "axes-for-attention",
            (
                (
                    "positions >= lengths.unsqueeze(1)",
                    "(positions >= lengths.unsqueeze(1))[:, None, None, :]",
                ),
            ),
            "The mask has the axes (B, 1, 1, S), ready for attention. Asked is (B, S).",
            "Which shape does the exercise name?",
        ),
        Mistake(
            "no-padding-seen",
            (
                (
                    "positions >= lengths.unsqueeze(1)",
                    "positions >= lengths.max().expand(len(lengths), 1)",
                ),
            ),
            "Every sequence gets the mask of the longest.",
            "Where do the single lengths enter?",
        ),
        Mistake(
            "whole-numbers",
            (
                (
                    "return positions >= lengths.unsqueeze(1)",
                    "return (positions >= lengths.unsqueeze(1)).long()",
                ),
            ),
            "The mask holds whole numbers and not booleans.",
            "What does `masked_fill` take?",
        ),
    ),
    hints=(
        "A place is padding when its index is not below its sequence's length.",
        "Places (S,) against lengths (B, 1) broadcast to (B, S).",
        "places <- 0, 1, ..., max_length - 1\nmask[b, s] <- places[s] >= lengths[b]",
        "torch.arange(max_length, device=lengths.device) >= lengths.unsqueeze(1)",
    ),
    axes=(("B", "S"),),
)
