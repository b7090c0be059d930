"""embeddings.rotary: vectors turned by their positions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.draw import Draw
from course.content.embeddings.exercises import waves

_LARGE: dict[str, Any] = {"dtypes": ("float64", "bfloat16", "float16")}


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(
        shape: tuple[int, ...],
        positions: Tensor,
        says: str,
        *names: str,
        base: float = 0.0,
        **more: Any,
    ) -> Case:
        sizes = dict(zip(("Dh", "S", "H", "B"), reversed(shape), strict=False))
        if base:
            names = (*names, "another base")
        args = (draw.normal(*shape), positions, *([base] if base else []))
        return Case(args, says, sizes, tags(*names), **more)

    each = torch.tensor([[0, 1, 2], [5, 3, 0]])
    of_batch = torch.tensor([[[0, 4, 2, 6, 1]], [[3, 3, 9, 0, 7]]])
    between = torch.tensor([0.5, 2.25, 7.75, 3.0], dtype=torch.float64)
    hundreds, thousands = torch.tensor([257, 301, 399]), torch.tensor([2049, 4095, 5001])
    most = torch.tensor([69999, 70001])
    later, zeros = "positions not from 0", torch.zeros(5, dtype=torch.int64)
    return [
        case((2, 2), torch.tensor([0, 1]), "two tokens, one pair"),
        case((3, 4), torch.arange(3), "three tokens, two pairs"),
        case((2, 1, 6), torch.tensor([5]), "one token at position 5", later),
        case((4, 8), torch.tensor([7, 2, 2, 11]), "positions in any order", later),
        case((2, 5, 6), torch.arange(5), "a batch", "a batch axis"),
        case((2, 3, 4, 10), torch.arange(4) + 3, "a batch and heads", "a batch and heads"),
        case((4, 4, 4, 4), torch.arange(4), "all sizes 4", "sizes that are all the same"),
        case((2, 3, 8), each, "positions of each text", "positions (B, S)"),
        case((2, 3, 5, 4), of_batch, "positions (B, 1, S)", "positions (B, 1, S)"),
        case((3, 6), torch.arange(3) + 1, "base 100", base=100.0),
        case((2, 4, 8), torch.arange(4) + 2, "base 500000", base=500000.0),
        case((4, 6), between, "positions between whole numbers", "floating positions"),
        case((3, 8), hundreds, "positions around 300", "positions above 256", **_LARGE),
        case((3, 6), thousands, "positions around 4000", "positions above 2048", **_LARGE),
        case((2, 4), most, "positions around 70000", "positions above 65504", **_LARGE),
        case((5, 4), zeros, "position 0 for all", "position 0 alone"),
    ]


def _half(x: Tensor, positions: Tensor, base: float = 10000.0) -> Tensor:
    """The other pairing: x[i] with x[i + Dh/2]."""
    width = x.shape[-1]
    rates = base ** -(torch.arange(0, width, 2, dtype=torch.float64) / width)
    angle = positions.double().unsqueeze(-1) * rates
    a, b = x.double().chunk(2, -1)
    return torch.cat((a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()), -1)


EXERCISE = Exercise(
    id="embeddings.rotary",
    signature="(x, positions, base=10000.0)",
    minutes=30,
    difficulty=3,
    cases=_cases,
    finds=waves.turns,
    landmarks=(
        Landmark("x itself, not turned at all", lambda x, positions, base=1e4: x.double()),
        Landmark(
            "turned by the other pairing, x[i] with x[i + Dh/2], and the angles negative",
            lambda x, positions, base=1e4: _half(x, -positions, base),
        ),
    ),
    axes=(("S", "Dh"),),
)
