"""What the similarity of tokens is for two tokens at an angle, and which pairs of tokens count."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from course.checking.exercise import Case, directions
from course.checking.exercise.wording import told_apart

Similarity = Callable[..., Tensor]


def finds(function: Similarity, failed: Sequence[Case]) -> list[str]:
    """What is wrong between two tokens, among three, with padding, and where NaN comes instead of 0."""
    told: list[str] = []
    # An answer may raise on one of these inputs: the others still tell.
    with contextlib.suppress(RuntimeError, ValueError, TypeError, IndexError):
        told += _of_two(function) or _of_three(function)
    for search in (_of_padding, _of_nothing):
        with contextlib.suppress(RuntimeError, ValueError, TypeError, IndexError):
            told += search(function)
    return told


def _of_two(function: Similarity) -> list[str]:
    """Sentences of two tokens, whose mean is their one similarity."""

    def of_two(a: Tensor, b: Tensor) -> Tensor:
        return function(torch.stack((a.expand_as(b), b), 1)).unsqueeze(0)

    return [f"in sentences of two tokens, {said}" for said in directions.finds(of_two, [])]


def _of_three(function: Similarity) -> list[str]:
    """One sentence of three tokens, whose similarities differ."""
    hidden = _at(0, 60, 90)
    cosines = (hidden @ hidden.mT)[0]
    each = [cosines[0, 1].item(), cosines[0, 2].item(), cosines[1, 2].item()]
    came, wanted = function(hidden).reshape(-1)[0].item(), sum(each) / 3
    if abs(came - wanted) < 1e-6:
        return []
    shown = ", ".join(f"{abs(cosine):.2f}" for cosine in each)
    made, right = told_apart(came, wanted, 2)
    return [f"of three tokens whose similarities are {shown}, the mean is {right}, and {made} came"]


def _of_padding(function: Similarity) -> Iterator[str]:
    """Two real tokens at 60 degrees and one place of padding, whose vector is changed."""
    padding = torch.tensor([[False, False, True]])
    first, other = (function(_at(0, 60, at), padding).reshape(-1)[0].item() for at in (90, 180))
    if abs(first - 0.5) < 1e-6 and abs(other - 0.5) < 1e-6:
        return
    about = "with two real tokens whose similarity is 0.50 and one place of padding"
    if math.isclose(first, other, abs_tol=1e-6) or not math.isfinite(first + other):
        came, _ = told_apart(first, 0.5, 2)
        yield f"{about}, 0.50 should come, and {came} came: how many pairs of real tokens are there?"
        return
    before, after = told_apart(first, other, 2)
    yield (
        f"{about}, the result changes with the vector of the padding ({before}, then {after}): a pair "
        "counts only where both of its tokens are real, the one on the row and the one on the column"
    )


def _of_nothing(function: Similarity) -> Iterator[str]:
    """Where 0 is asked for, and a division by 0 gives NaN or an infinite number."""
    zero = _at(0, 60)
    zero[0, 1] = 0.0
    broken = []
    for says, args in (
        ("a zero vector", (zero,)),
        ("a sentence with one real token", (_at(0, 60), torch.tensor([[False, True]]))),
        ("a sentence of padding only", (_at(0, 60), torch.tensor([[True, True]]))),
        ("a sentence of one token", (_at(60),)),
    ):
        with contextlib.suppress(RuntimeError, ValueError, TypeError, IndexError):
            if not math.isfinite(function(*args).reshape(-1)[0].item()):
                broken.append(says)
    if broken:
        yield f"{', '.join(broken)}: a division by 0 gives NaN or inf, and 0 is asked for"


def _at(*degrees: float) -> Tensor:
    """One sentence (1, S, 2) of vectors of length 1 in these directions."""
    angles = torch.tensor(degrees, dtype=torch.float64).deg2rad()
    return torch.stack((angles.cos(), angles.sin()), -1).unsqueeze(0)
