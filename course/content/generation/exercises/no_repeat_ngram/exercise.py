"""generation.no_repeat_ngram: no n tokens in a row a second time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.draw import Draw
from course.content.generation.exercises.no_repeat_ngram import search


def _blocked(ids: Sequence[int], n: int) -> list[int]:
    """The tokens that would complete n tokens which stand in ids already."""
    known = {tuple(ids[i : i + n]) for i in range(len(ids) - n + 1)}
    tail = tuple(ids[len(ids) - n + 1 :]) if n > 1 else ()
    return sorted({gram[-1] for gram in known if gram[:-1] == tail})


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(says: str, ids: list[int], n: int, *names: str, words: int = 10, **more: Any) -> Case:
        blocked = len(_blocked(ids, n))
        # Where -inf is added, its logit has a gradient; where it is filled in, it has none. Both are right.
        more = {"differentiable": not blocked, **more}
        some = "several tokens to block" if blocked > 1 else "one token to block"
        names = (*names, some if blocked else "nothing to block")
        names = (*names, *(["n = 1"] if n == 1 else []))
        names = (*names, *(["fewer than n tokens so far"] if len(ids) < n else []))
        names = (*names, *(["exactly n tokens so far"] if len(ids) == n else []))
        sizes = {"V": words, "n": n, "length": len(ids)}
        return Case((draw.normal(words), ids, n), says, sizes, tags(*names), **more)

    lower = draw.normal(8)
    lower[3] = -torch.inf
    before = Case(
        (lower, [1, 5, 6, 5], 2), "a logit that is -inf before", {"V": 8, "n": 2, "length": 4},
        tags("one token to block", "a logit that is -inf"), differentiable=False,
    )  # fmt: skip
    return [
        case("5 6 has been written, and 5 again", [1, 5, 6, 5], 2),
        case("5 6 7 has been written, and 5 6 again", [1, 5, 6, 7, 8, 5, 6], 3),
        case("5 was followed by 6 and by 8", [1, 5, 6, 5, 8, 5], 2),
        case("the same pair twice", [1, 5, 6, 4, 5, 6, 4, 5], 2),
        case("n = 1: no token a second time", [1, 5, 6, 5], 1),
        case("nothing stands twice", [1, 5, 6, 7], 2),
        case("a pair stands twice, but not at the end", [1, 5, 6, 5, 6, 7], 2),
        case("one token of the two that end the text stands before", [1, 5, 7, 9, 4, 7], 3),
        case("the two that end the text stand before in reverse", [1, 6, 5, 8, 5, 6], 3),
        case("the two that end the text stand before, with a gap", [1, 5, 3, 6, 8, 5, 6], 3),
        case("one token three times in a row", [1, 4, 4, 4], 2, "an n-gram that overlaps itself"),
        case("one token four times in a row, n = 3", [1, 4, 4, 4, 4], 3, "an n-gram that overlaps itself"),
        case("begins with what it ends with", [7, 2, 1, 5, 7], 2, "at the beginning of the text"),
        case("only the first token so far", [1], 2),
        case("two tokens so far, n = 3", [1, 5], 3),
        case("three tokens so far, n = 3", [1, 5, 6], 3),
        case("two tokens so far, n = 2", [5, 5], 2, "an n-gram that overlaps itself"),
        case("nothing so far", [], 2, "nothing so far"),
        case("nothing so far, n = 1", [], 1, "nothing so far"),
        case("id 0 would be repeated", [3, 0, 4, 3], 2, "id 0 to block"),
        case("the last id would be repeated", [3, 9, 4, 3], 2),
        before,
        case("n = 4", [1, 2, 3, 4, 5, 2, 3, 4], 4),
        case("60 tokens of 12, n = 2", _long(draw), 2, words=12),
    ]  # fmt: skip


def _long(draw: Draw) -> list[int]:
    ids: list[int] = torch.randint(12, (60,), generator=draw.generator).tolist()
    return ids


def _without(logits: Tensor, tokens: Sequence[int]) -> Tensor:
    result = logits.clone()
    result[list(tokens)] = -torch.inf
    return result


EXERCISE = Exercise(
    id="generation.no_repeat_ngram",
    signature="(logits, ids, n)",
    minutes=15,
    difficulty=2,
    cases=_cases,
    finds=search.search,
    landmarks=(
        Landmark(
            "the logits of what is blocked, and of nothing else",
            lambda logits, ids, n: _without(
                logits, [v for v in range(len(logits)) if v not in _blocked(ids, n)]
            ),
        ),
    ),
    axes=(("V",),),
)
