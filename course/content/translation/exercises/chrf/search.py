"""What of chrF an answer gets right: one part at a time, in texts in which only that part shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from course.checking.exercise import Case

Chrf = Callable[..., Any]

_HALVES = "the precisions for n = 1 to 6 are 6/7, 5/6, 4/5, 3/4, 2/3 and 1/2, and so are the recalls: their mean"
_MEAN = (6 / 7 + 5 / 6 + 4 / 5 + 3 / 4 + 2 / 3 + 1 / 2) / 6

# Pairs "candidate|reference", beta, what the score should be, and why.
_PARTS: tuple[tuple[tuple[str, ...], float, float, str], ...] = (
    (("abcdefg|abcdefg",), 2.0, 1.0, "all is right"),
    (("abcdefg|abcdefx",), 1.0, _MEAN, _HALVES),
    (("abcdefg|abcdefx",), 2.0, _MEAN, f"{_HALVES}, whatever beta is"),
    (
        ("aaaaaaa|aaaaaab",),
        1.0,
        _MEAN,
        f"an n-gram counts at most as often as it stands in the reference, so that {_HALVES}",
    ),
    (
        ("abcdef|abcdefghijkl",),
        1.0,
        2 * (r := (6 / 12 + 5 / 11 + 4 / 10 + 3 / 9 + 2 / 8 + 1 / 7) / 6) / (1 + r),
        f"the precisions are all 1, the mean of the recalls 6/12, 5/11, 4/10, 3/9, 2/8 and 1/7 is {r:.4f}, and "
        "beta = 1 weighs the two the same",
    ),
    (
        ("abcdef|abcdefghijkl",),
        2.0,
        5 * r / (4 + r),
        f"P is 1 and R is {r:.4f}, and (1 + 4) P R / (4 P + R) is left",
    ),
    (
        ("abcdefghijkl|abcdef",),
        2.0,
        5 * r / (4 * r + 1),
        f"P is {r:.4f} and R is 1, and (1 + 4) P R / (4 P + R) is left",
    ),
    (("abc def|ab cdef",), 2.0, 1.0, "white space is left out, and the rest is the same"),
    (
        ("ab\tc\nd\u3000ef|abcdef",),
        2.0,
        1.0,
        "tabs, newlines and wide spaces are white space too, and the rest is the same",
    ),
    (
        ("abc|abc",),
        2.0,
        1.0,
        "no text has more than three characters, so that n = 1 to 3 alone enter the means",
    ),
    (
        ("abcdefg|abcdefg", "stuvwxyz|st"),
        1.0,
        2 * (p := ((9 / 15) + (7 / 13) + 4) / 6) / (p + 1),
        "n-grams of the second pair count for n = 1 and 2 alone, since its reference has no more: the precisions "
        "are 9/15, 7/13, 1, 1, 1 and 1, and the recalls are 1",
    ),
    (
        ("abcdefg|abcdefg", "st|stuvwxyz"),
        1.0,
        2 * (q := (9 / 15 + 7 / 13 + 5 / 11 + 4 / 9 + 3 / 7 + 2 / 5) / 6) / (q + 1),
        "what the second candidate lacks counts for every n: the recalls are 9/15, 7/13, 5/11, 4/9, 3/7 and 2/5, "
        "and the precisions are 1",
    ),
    (("|abcdefg",), 2.0, 0.0, "the candidate is empty"),
    (("abcdefg|hijklmn",), 2.0, 0.0, "nothing is shared"),
    (("ABCDEFG|abcdefg",), 2.0, 0.0, "A and a are different characters"),
    (
        ("年月日时分秒点|年月日时分秒钟",),
        2.0,
        _MEAN,
        f"a Chinese character is one character, so that {_HALVES}",
    ),
)


def search(function: Chrf, failed: Sequence[Case]) -> list[str]:
    """A sentence on the first of these texts whose score is wrong."""
    for pairs, beta, wanted, because in _PARTS:
        sides = [pair.split("|") for pair in pairs]
        told = " and ".join(f'"{one}" (reference "{other}")' for one, other in sides)
        told = f"for {told.encode('unicode_escape').decode() if told.isascii() else told}"
        told += f" with beta = {beta:g}"
        try:
            score = function([one for one, _ in sides], [other for _, other in sides], beta)
        except Exception as error:
            return [
                f"{told} it raises {type(error).__name__}; it should return {wanted:.4g}: {because}"
            ]
        if not isinstance(score, int | float):
            return []
        if not math.isclose(score, wanted, rel_tol=1e-6, abs_tol=1e-9):
            return [f"{told} it returns {score:.4g} and should return {wanted:.4g}: {because}"]
    return []
