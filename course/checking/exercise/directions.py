"""What a similarity makes of two vectors, by the angle between them and by their lengths."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from course.checking.exercise import Case
from course.checking.exercise.wording import rows_told_apart, same

_ANGLES = (0, 60, 90, 120, 180)


def finds(function: Callable[[Tensor, Tensor], Tensor], failed: Sequence[Case]) -> list[str]:
    """Vectors of length 1 at several angles first; then how lengths enter."""
    turned = torch.tensor([[math.cos(t), math.sin(t)] for t in map(math.radians, _ANGLES)]).double()
    first = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    made = function(first.clone(), turned.clone())
    wanted = first @ turned.T
    if made.shape != wanted.shape:
        return []
    alone = torch.cat([function(first.clone(), row[None].clone()) for row in turned], dim=1)
    scaled = bool((made * wanted >= -1e-12).all()) and same(
        made.sign() * (wanted.abs() > 1e-9), wanted.round(decimals=9).sign()
    )
    if not same(made, wanted) and same(alone, wanted) and scaled:
        return [
            "each vector of b alone gets the right similarity, but with others beside it another one: what it is "
            "divided by is made of all of them, and should be its own length"
        ]
    if not same(made, wanted):
        came, right = rows_told_apart(made[0].tolist(), wanted[0].tolist(), 2, "f")
        angles = ", ".join(map(str, _ANGLES))
        return [
            f"vectors of length 1 with {angles} degrees between them get {came}, and should get {right}"
        ]
    told = []
    for name, longer in (
        ("a", function(4 * first, turned.clone())),
        ("b", function(first.clone(), 4 * turned)),
    ):
        factor = (longer * wanted).sum().item() / wanted.square().sum().item()
        if abs(factor - 1) > 1e-6:
            told.append(
                f"when the vectors of {name} become 4 times as long, the similarity becomes {factor:.4g} "
                "times as large: it should not change"
            )
    return told
