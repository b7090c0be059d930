"""speech.ctc_collapse: the text that a path of one id for each frame spells."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from course.checking.exercise import Case, Exercise, tags

_SHORTEST: tuple[tuple[list[int], str], ...] = (
    ([1, 2], "two different ids stay"),
    ([1, 1], "a repeat is merged"),
    ([0], "a blank spells nothing"),
    ([], "no frame spells nothing"),
    ([1, 0, 1], "the blank keeps the two apart"),
    ([1, 2, 1], "only neighbours are merged"),
    ([0, 1], "a blank at the beginning spells nothing"),
    ([1, 0], "a blank at the end spells nothing"),
    ([1, 1, 1], "a run of any length is one letter"),
    ([1, 0, 0, 1], "several blanks are one"),
    ([2, 1], "the order of the path stays"),
    ([1, 1, 0, 1, 1], "there are two runs"),
    ([12, 12, 0, 12], "ids of two digits are ids like others"),
    ([3000, 1000, 1000], "ids of four digits are ids like others"),
)  # with the blank 0, and why


def _merged(ids: list[int]) -> list[int]:
    return [id for id, _ in itertools.groupby(ids)]


def _names(ids: list[int], blank: int) -> Iterator[str]:
    yield "a blank that is 0" if blank == 0 else "a blank that is not 0"
    if not ids:
        yield "an empty path"
    elif set(ids) == {blank}:
        yield "nothing but blanks"
    if blank not in ids:
        yield "no blank in the path"
    merged = _merged(ids)
    if merged != ids:
        yield "repeats"
    if any(merged[i - 1] == merged[i + 1] for i in range(1, len(merged) - 1) if merged[i] == blank):
        yield "equal letters on both sides of a blank"
    if ids and ids[0] == ids[-1] and len(ids) > 1:
        yield "a path that ends as it begins"
    if any(id > 9 for id in ids):
        yield "ids of several digits"
    if 0 in ids and blank != 0:
        yield "a letter whose id is 0"


def _cases(seed: int) -> list[Case]:
    choose = random.Random(seed)

    def case(says: str, ids: list[int], blank: int) -> Case:
        own = [int(str(id)) for id in ids]  # equal numbers, and above 256 no longer the same object
        return Case((own, int(str(blank))), says, {"N": len(ids)}, tags(*_names(ids, blank)))

    def drawn(says: str, length: int, letters: int, blank: int) -> Case:
        ids: list[int] = []
        while len(ids) < length:
            ids += [choose.choice([blank, *range(letters)])] * choose.randint(1, 3)
        return case(says, ids[:length], blank)

    return [
        case("two letters", [3, 4], 0),
        case("a letter twice", [3, 3], 0),
        case("a letter three times", [3, 3, 3, 4], 0),
        case("four frames of one letter", [5, 5, 5, 5], 0),
        case("a blank between equal letters", [3, 0, 3], 0),
        case("two blanks between equal letters", [3, 3, 0, 0, 3], 0),
        case("a letter between equal letters", [3, 4, 3], 0),
        case("a path that ends as it begins", [4, 4, 0, 2, 3, 4], 0),
        case("a path that ends with the letter with which it begins, without blanks", [2, 5, 2], 9),
        case("blanks at both ends", [0, 0, 3, 4, 4, 0], 0),
        case("blanks at both ends, as well as within", [7, 3, 7, 4, 7], 7),
        case("h e l l o", [8, 8, 0, 5, 0, 12, 12, 0, 12, 15], 0),
        case("no frame", [], 0),
        case("no frame, blank 4", [], 4),
        case("one letter", [2], 0),
        case("one blank", [0], 0),
        case("nothing but blanks", [0, 0, 0], 0),
        case("nothing but blanks, blank 6", [6, 6], 6),
        case("a blank of 4, and a letter whose id is 0", [0, 0, 4, 0, 2, 4, 4, 1], 4),
        case("a blank of 5, letters below it", [1, 1, 5, 1, 2, 2], 5),
        case("a blank of 2, letters on both sides of it", [1, 2, 3, 3, 2, 3, 0, 1, 2], 2),
        case("a blank that no frame has", [3, 3, 1, 0, 0], 8),
        case("ids in the thousands", [4000, 4000, 1000, 4000, 4000, 3000], 1000),
        case("letters in falling order", [9, 9, 5, 0, 5, 2], 0),
        drawn("12 frames of 3 letters, blank 0", 12, 4, 0),
        drawn("25 frames of 4 letters, blank 4", 25, 4, 4),
        drawn("60 frames of 6 letters, blank 3", 60, 6, 3),
    ]


def _finds(function: Callable[..., Any], failed: Sequence[Case]) -> list[str]:
    """The shortest path that is collapsed wrongly, with the blank 0 and with another."""
    for path, because in _SHORTEST:
        for blank in (0, 9):
            ids = [id or blank for id in path]
            wanted = [id for id in _merged(ids) if id != blank]
            try:
                came = function(list(ids), blank)
            except Exception as error:
                return [
                    f"it raises {type(error).__name__} for {ids} with the blank {blank}: {because}"
                ]
            if came != wanted:
                return [
                    f"with the blank {blank} the path {ids} should become {wanted} and becomes {came}: {because}"
                ]
    return []


EXERCISE = Exercise(
    id="speech.ctc_collapse",
    signature="(ids, blank)",
    minutes=8,
    difficulty=1,
    cases=_cases,
    finds=_finds,
)
