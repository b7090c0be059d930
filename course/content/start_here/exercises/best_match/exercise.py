"""start_here.best_match: the passage whose vector points most nearly where the question's points."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, tags
from course.checking.exercise.cases import DOUBLE, FLAT, FULL
from course.checking.exercise.draw import Draw


def _passages(draw: Draw, question: Tensor, count: int) -> Tensor:
    """(N, D) in random order; the right one is short, and each common mistake prefers another.

    The rows, by their cosine with the question: 0.99 but short (the right one), 0.86 and nearest by
    distance, 0.71 and longest, -0.99, and others near 0.
    """
    size = question.norm()

    def across() -> Tensor:
        """A vector as long as the question, at a right angle to it."""
        drawn = draw.normal(len(question))
        drawn -= (drawn @ question) / size**2 * question
        drawn *= size / drawn.norm()
        return drawn

    rows = [
        0.2 * question + 0.03 * across(),
        question + 0.6 * across(),
        2.8 * question + 2.8 * across(),
        -1.5 * question + 0.2 * across(),
    ]
    rows += [0.5 * (i + 1) * across() for i in range(count - 4)]
    order = torch.randperm(count, generator=draw.generator)
    return torch.stack(rows)[order].float().double()


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(says: str, count: int, width: int, *names: str, shift: float = 0.0) -> Case:
        question = draw.normal(width) + shift
        return _case(says, (question, _passages(draw, question, count)), *names)

    ones = torch.ones(4, dtype=torch.float64)

    def of_ones(says: str, rows: list[list[float]], *names: str) -> Case:
        """A question of ones. Halves and whole numbers alone: in these every way to compute the cosine is exact."""
        return _case(says, (ones, torch.tensor(rows).double()), *names)

    twice = [[-1.0, 0, 0, 0], [4.0, 0, 0, 0], [2.0, 2, 2, 2], [1.0, 1, 1, 1], [0.5, 0.5, 0.5, 0.5]]
    away = [[-1.0, 0, 0, 0], [-2.0, -2, -2, -2], [0.0, 0, 0, 0], [0.0, -1, 0, 0]]
    opposite = [[-2.0, -2, -2, -2], [0.0, -1, 0, 0], [-1.0, -1, -1, -1]]
    with_zero = [[0.0, 0, 0, 0], [4.0, 0, 0, 0], [1.0, 1, 1, 1], [0.0, 0, 0, 0]]
    # Cosines 0, 0.29, 0 and -0.5: as a vector of length 1 or 0, the zero is nearest to the question.
    far = [[0.0, 0, 0, 0], [3.0, -1, -1, 1], [1.0, -1, 0, 0], [-1.0, 0, 0, 0]]
    half_as_long = [[2.0, 2, 0, 0], [0.25, 0.25, 0.25, 0.25]]
    alike, tiny = "passages nearly alike", "a length of 2e-6"
    nothing = (0 * ones, torch.tensor(twice[1:]).double())
    both = "a best passage of length 2e-6, and one nearly alike"
    return [
        case("four passages of width 3", 4, 3),
        case("five passages of width 4", 5, 4, shift=1.5),
        case("as many passages as numbers in each", 6, 6, "as many passages as numbers"),
        case("nine passages of width 5", 9, 5, shift=2.0),
        case("seven passages of width 16", 7, 16),
        case("eight passages of width 11", 8, 11, shift=-1.5),
        case("forty passages of width 384, as MiniLM's", 40, 384, "the chapter's example"),
        case("five passages of width 400", 5, 400, "wider than MiniLM's"),
        of_ones("three passages in the same direction", twice, "equal similarities"),
        of_ones("a passage of zeros before the best", with_zero),
        of_ones("a passage of zeros, and none that is close", far),
        of_ones("a best passage of length 1/2", half_as_long, "short vectors"),
        _case("two passages nearly alike", _nearly_alike(draw), alike, **FULL),
        _case("a very short best passage", _short(draw), "very short vectors", **FULL),
        _case("a best passage of length 2e-6", _shortest(draw, 300.0), tiny, **FULL),
        _case("vectors of lengths near 1e-6", _shortest(draw, 3e-6), "lengths near 1e-6", **FULL),
        _case(both, _shortest(draw, 1.0, nearly=True), tiny, alike, **DOUBLE),
        of_ones("passages that point away, and one of zeros", away),
        of_ones("passages that all point away", opposite, "negative similarities"),
        _case("a question of zeros: all similarities are 0", nothing),
        of_ones("a single passage", twice[:1], "a single passage"),
    ]


def _nearly_alike(draw: Draw) -> tuple[Tensor, Tensor]:
    """A question with passages of cosines 0.999, 0.9997 and 0.7: the second is the best."""
    question = draw.normal(5)
    across = _passages(draw, question, 5) - question
    across -= (across @ question / question.norm() ** 2).unsqueeze(-1) * question
    across *= (question.norm() / across.norm(dim=-1)).unsqueeze(-1)  # as long as the question
    amounts = torch.tensor([0.045, 0.025, 1.0], dtype=torch.float64).unsqueeze(-1)
    return question, (question + amounts * across[:3]).float().double()


def _short(draw: Draw) -> tuple[Tensor, Tensor]:
    """A question with a best passage that is a thousand times shorter than the others."""
    question = draw.normal(4)
    turned = question.flip(0) * torch.tensor([1.0, -1, 1, -1], dtype=torch.float64)  # at 90 degrees
    rows = torch.stack((turned, question + turned, 1e-3 * question, -question))
    return question, rows.float().double()


def _shortest(draw: Draw, length: float, nearly: bool = False) -> tuple[Tensor, Tensor]:
    """A question of that length; the best passage is 2e-6 long, another long one has a cosine near 1.

    Lengths and cosines: 2e-6 and 1, 4e-6 and 0.998 (nearly: 1 - 1e-5), 4e-6 and 0, 4e-6 and -1. Where
    the question is long, the second passage is 4 long.
    """
    question = draw.normal(4)
    question *= length / question.norm()
    turned = question.flip(0) * torch.tensor([1.0, -1, 1, -1], dtype=torch.float64)  # at 90 degrees
    beside = 0.0045 if nearly else 0.0633
    other = 4e-6 if length < 1e-3 else 4.0
    near = question + beside * turned
    rows = [other * near / near.norm(), 4e-6 * turned / length, 2e-6 * question / length]
    rows.append(-4e-6 * question / length)
    order = torch.randperm(4, generator=draw.generator)
    return question.float().double(), torch.stack(rows)[order].float().double()


def _case(says: str, args: tuple[Tensor, Tensor], *names: str, **more: Any) -> Case:
    question, passages = args
    count, width = passages.shape
    if not (passages.any(1).all() and question.any()):
        # In float16 a small number that guards a division may be 0 itself.
        names, more = (*names, "zero vectors"), {"dtypes": ("float64", "float32", "bfloat16")}
    return Case(args, says, {"N": count, "D": width}, tags(*names), **FLAT | more)


EXERCISE = Exercise(
    id="start_here.best_match",
    signature="(question, passages)",
    minutes=10,
    difficulty=1,
    cases=_cases,
    results=("index",),
)
