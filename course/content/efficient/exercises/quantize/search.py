"""What an answer makes of two rows whose scales are 1 and 2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case

_ROWS = ((127.0, 63.7, -20.3, -63.7), (20.6, -254.0, 0.8, 100.6))
_SCALES = (1, 2)
_NUMBERS = ((127, 64, -20, -64), (10, -127, 0, 50))


def search(function: Callable[..., Any], failed: Sequence[Case]) -> list[str]:
    """The first of two plain rows whose scale or whose numbers are wrong."""
    with torch.no_grad():
        result = function(torch.tensor(_ROWS, dtype=torch.float64))
    if not isinstance(result, tuple | list) or len(result) != 2:
        return []
    numbers, scale = result
    if not isinstance(numbers, Tensor) or not isinstance(scale, Tensor):
        return []
    if numbers.shape != (2, 4) or scale.shape != (2, 1):
        return []
    for row, factor, right, came, of_row in zip(
        _ROWS, _SCALES, _NUMBERS, numbers.tolist(), scale.flatten().tolist(), strict=True
    ):
        written = ", ".join(f"{x:g}" for x in row)
        if abs(of_row - factor) > 1e-9:
            return [f"the row {written} should have the scale {factor}, and has {of_row:.6g}"]
        if tuple(came) != right:
            return [
                f"the row {written} has the scale {factor}: the numbers should be {list(right)}, and yours are "
                f"[{', '.join(f'{x:g}' for x in came)}]"
            ]
    return []
