"""What an answer makes of four rows whose scales are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case

_ROWS = (
    (127.0, 63.7, -20.3, -63.7),
    (20.6, -254.0, 0.8, 100.6),
    (31.75, -10.1, 4.9, 0.1),
    (1.27e-6, -6.37e-7, 2.03e-7, 4e-9),
)
_SCALES = (1, 2, 0.25, 1e-8)
_NUMBERS = ((127, 64, -20, -64), (10, -127, 0, 50), (127, -40, 20, 0), (127, -64, 20, 0))


def search(function: Callable[..., Any], failed: Sequence[Case]) -> list[str]:
    """The first of four plain rows whose scale or whose numbers are wrong."""
    with torch.no_grad():
        result = function(torch.tensor(_ROWS, dtype=torch.float64))
    if not isinstance(result, tuple | list) or len(result) != 2:
        return []
    numbers, scale = result
    if not isinstance(numbers, Tensor) or not isinstance(scale, Tensor):
        return []
    if numbers.shape != (4, 4) or scale.shape != (4, 1):
        return []
    for row, factor, right, came, of_row in zip(
        _ROWS, _SCALES, _NUMBERS, numbers.tolist(), scale.flatten().tolist(), strict=True
    ):
        written = ", ".join(f"{x:g}" for x in row)
        if abs(of_row - factor) > 1e-9 * factor:
            return [f"the row {written} should have the scale {factor}, and has {of_row:.6g}"]
        if tuple(came) != right:
            return [
                f"the row {written} has the scale {factor}: the numbers should be {list(right)}, and yours are "
                f"[{', '.join(f'{x:g}' for x in came)}]"
            ]
    return []
