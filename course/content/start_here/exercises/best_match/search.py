"""How the lengths of vectors enter a choice that should not depend on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from course.checking.exercise import Case

Choice = Callable[[Tensor, Tensor], int]


def finds(function: Choice, failed: Sequence[Case]) -> list[str]:
    """What the failed cases show once their vectors are made longer, or all of one length."""
    cases = [case.args for case in failed]
    if _all_right(function, cases):
        return []
    if _all_right(function, [(1e12 * question, 1e12 * rows) for question, rows in cases]):
        return [
            "when all vectors are made 1e12 times as long, which changes no cosine, it is right: a "
            "fixed number stands beside the lengths (it is added to them or to their product, or is the least "
            "that they may be), and short vectors feel it"
        ]
    if _deaf(function, cases):
        return ["with any other question it chooses the same: the question does not enter"]
    told = []
    if _all_right(function, [(question, _of_length_one(rows)) for question, rows in cases]):
        told.append(
            "when every passage is scaled to length 1 it is right: look at how the passages' lengths enter"
            + _who_wins(function, cases)
        )
    elif _all_right(function, [(_of_length_one(question), rows) for question, rows in cases]):
        told.append(
            "when the question is scaled to length 1 it is right: the question's length must not change "
            "which passage is the nearest"
        )
    return told


def _all_right(function: Choice, cases: Sequence[tuple[Tensor, Tensor]]) -> bool:
    return all(int(function(*map(torch.clone, args))) == _right(*args) for args in cases)


def _deaf(function: Choice, cases: Sequence[tuple[Tensor, Tensor]]) -> bool:
    """Whether the question makes no difference; one passage alone can't tell."""
    several = [
        (question, rows)
        for question, rows in cases
        if len(rows) > 2 and bool(rows.any(-1).all()) and bool(question.any())
    ]  # not where a zero vector decides
    turned = [(-question.flip(0), rows) for question, rows in several]
    several += [(-question, rows) for question, rows in several]
    turned += turned
    pairs = zip(several, turned, strict=True)
    return len(several) > 4 and all(
        int(function(*map(torch.clone, one))) == int(function(*map(torch.clone, other)))
        for one, other in pairs
    )


def _right(question: Tensor, passages: Tensor) -> int:
    return int((_of_length_one(passages) @ question).argmax())


def _of_length_one(vectors: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return vectors / lengths.masked_fill(lengths == 0, 1.0)


def _who_wins(function: Choice, cases: Sequence[tuple[Tensor, Tensor]]) -> str:
    """Whether it is always the longer vector that is chosen in place of the right one, or the shorter."""
    longer = []
    for question, passages in cases:
        lengths = passages.norm(dim=-1)
        chosen = int(function(question.clone(), passages.clone()))
        if not 0 <= chosen < len(passages):
            return ""
        longer.append(bool(lengths[chosen] > lengths[_right(question, passages)]))
    if all(longer):
        return ". What it chooses is always longer than the right one: long vectors win"
    return "" if any(longer) else ". What it chooses is never longer than the right one"
