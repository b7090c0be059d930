"""What of BLEU an answer gets right: one part at a time, in texts in which only that part is not 1."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from course.checking.exercise import Case

Bleu = Callable[[list[list[str]], list[list[str]]], Any]

# Pairs "candidate|reference", what the score should be, and why.
_PARTS: tuple[tuple[tuple[str, ...], float, str], ...] = (
    (("a b c d e f|a b c d e f",), 1.0, "all its precisions are 1, and so is the brevity penalty"),
    (
        ("a b c d e f|a b c d e x",),
        (5 / 6 * 4 / 5 * 3 / 4 * 2 / 3) ** 0.25,
        "the precisions are 5/6, 4/5, 3/4 and 2/3, and the fourth root of their product is left",
    ),
    (
        ("a b c d a b|a b c d x y",),
        (4 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25,
        "a, b and a b stand twice in the candidate and once in the reference, so that they count once: the "
        "precisions are 4/6, 3/5, 2/4 and 1/3",
    ),
    (
        ("a b a b a b a|a b a b a b x",),
        (6 / 7 * 5 / 6 * 4 / 5 * 3 / 4) ** 0.25,
        "what stands several times in both counts as often: the precisions are 6/7, 5/6, 4/5 and 3/4",
    ),
    (
        ("a b c d e f|a b c d e f g h",),
        math.exp(1 - 8 / 6),
        "all precisions are 1, and the brevity penalty alone is left, exp(1 - 8/6)",
    ),
    (
        ("a b c d e f g h|a b c d e f",),
        (6 / 8 * 5 / 7 * 4 / 6 * 3 / 5) ** 0.25,
        "the brevity penalty is 1 for candidates that are longer, and the precisions are 6/8, 5/7, 4/6 and 3/5",
    ),
    (
        ("a b c d e f|a b c d e f", "u v w x y z|u v p x q z"),
        (10 / 12 * 6 / 10 * 4 / 8 * 3 / 6) ** 0.25,
        "over both sentences together the precisions are 10/12, 6/10, 4/8 and 3/6",
    ),
    (
        ("a b c d e f g|a b c d e f", "u v w x y|u v w x y z"),
        (11 / 12 * 9 / 10 * 7 / 8 * 5 / 6) ** 0.25,
        "one candidate is a word longer and one a word shorter than its reference, so that the lengths of all "
        "are the same and the brevity penalty is 1",
    ),
    (
        ("a b c d e f|a b c d e f", "p q r|p q r"),
        1.0,
        "a sentence of three words has no four in a row, which takes nothing from the other's",
    ),
    (
        ("a b c d e f|a b c d e f", "|p q r"),
        math.exp(1 - 9 / 6),
        "an empty candidate has no n-grams, and the brevity penalty alone is left, exp(1 - 9/6)",
    ),
    (("a b c x d e f|a b c y d e f",), 0.0, "no four words in a row are in both"),
    (("a b c|a b c",), 0.0, "no candidate has four words in a row, so that this precision is undefined"),
    (("|a b c d",), 0.0, "the candidate is empty"),
    (("A b c d e|a b c d e",), (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25, "A and a are different words"),
)  # fmt: skip


def search(function: Bleu, failed: Sequence[Case]) -> list[str]:
    """A sentence on the first of these texts whose score is wrong."""
    for pairs, wanted, because in _PARTS:
        sides = [[side.split() for side in pair.split("|")] for pair in pairs]
        told = " and ".join(_pair(pair) for pair in pairs)
        try:
            score = function([one for one, _ in sides], [other for _, other in sides])
        except Exception as error:
            return [
                f"it raises {type(error).__name__} for {told}; it should return {wanted:.4g}: {because}"
            ]
        if not isinstance(score, int | float):
            return []
        if not math.isclose(score, wanted, rel_tol=1e-6, abs_tol=1e-9):
            return [f"for {told} it returns {score:.4g} and should return {wanted:.4g}: {because}"]
    return []


def _pair(pair: str) -> str:
    candidate, reference = pair.split("|")
    return f'"{candidate}" (reference "{reference}")'
