"""What a pair's input is made of, read from ids that tell their text: what is kept, from which end, how often [SEP]."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from course.checking.exercise import Case

_CLS, _SEP = 1, 2
Pair = Callable[[list[int], list[int], int, int, int], tuple[list[int], list[int]]]


def search(function: Pair, failed: Sequence[Case]) -> list[str]:
    """Sentences on the special tokens, the segments, and on what is dropped of texts too long."""
    told = _whole(function)
    return (
        told
        or [said for lengths in ((6, 2), (2, 6), (4, 4)) for said in _cut(function, *lengths)][:2]
    )


def _texts(first: int, second: int) -> tuple[list[int], list[int]]:
    return list(range(11, 11 + first)), list(range(61, 61 + second))


def _whole(function: Pair) -> list[str]:
    """Two texts that fit."""
    ids, kinds = function(*_texts(2, 3), _CLS, _SEP, 50)
    wanted = [_CLS, 11, 12, _SEP, 61, 62, 63, _SEP]
    told = []
    if list(ids) != wanted:
        told.append(
            f"of two texts [11, 12] and [61, 62, 63] that fit, with cls_id 1 and sep_id 2, it makes {list(ids)}; "
            f"the exercise asks for {wanted}"
        )
    elif list(kinds) != [0] * 4 + [1] * 4:
        told.append(
            f"for the ids {wanted} the type ids come out as {list(kinds)}; the first [SEP] still belongs to the "
            "first text, the last one to the second"
        )
    return told


def _cut(function: Pair, first: int, second: int) -> list[str]:
    """Two texts for which there is room for 5 tokens in all."""
    one, other = _texts(first, second)
    ids, _ = function(list(one), list(other), _CLS, _SEP, 8)
    kept = [[i for i in ids if i in text] for text in (one, other)]
    lengths = [len(part) for part in kept]
    right = _lengths(first, second, 5)
    about = f"of texts with {first} and {second} tokens and max_length = 8 (5 tokens beside the special ones)"
    if lengths != right:
        return [
            f"{about} it keeps {lengths[0]} and {lengths[1]}, and should keep {right[0]} and {right[1]}"
        ]
    for name, part, text in (("first", kept[0], one), ("second", kept[1], other)):
        if part != text[: len(part)]:
            return [
                f"{about} it keeps {part} of the {name} text {text}: tokens are dropped from the end"
            ]
    return []


def _lengths(first: int, second: int, room: int) -> list[int]:
    while first + second > room:
        first, second = (first - 1, second) if first > second else (first, second - 1)
    return [first, second]
