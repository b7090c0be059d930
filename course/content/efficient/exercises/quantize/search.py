"""What an answer makes of four rows whose scales are known, by themselves and beside a row of zeros."""

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


_ZEROS = (0.0, 0.0, 0.0, 0.0)
_WAYS = (("", _ROWS), ("beside a row of zeros ", (_ZEROS, *_ROWS)))


def search(function: Callable[..., Any], failed: Sequence[Case]) -> list[str]:
    """The first of four plain rows whose scale or whose numbers are wrong."""
    told = (_wrong_row(function, *way) for way in _WAYS)
    return next(([found] for found in told if found), [])


def _wrong_row(function: Callable[..., Any], where: str, rows: Sequence[Sequence[float]]) -> str:
    with torch.no_grad():
        result = function(torch.tensor(rows, dtype=torch.float64))
    if not isinstance(result, tuple | list) or len(result) != 2:
        return ""
    numbers, scale = result
    if not isinstance(numbers, Tensor) or not isinstance(scale, Tensor):
        return ""
    if numbers.shape != (len(rows), 4) or scale.shape != (len(rows), 1):
        return ""
    mine = zip(numbers.tolist()[-4:], scale.flatten().tolist()[-4:], strict=True)
    for row, factor, right, (came, of_row) in zip(_ROWS, _SCALES, _NUMBERS, mine, strict=True):
        written = f"{where}the row {', '.join(f'{x:g}' for x in row)}"
        if not abs(of_row - factor) <= 1e-9 * factor:
            return f"{written} should have the scale {factor}, and has {of_row:.6g}"
        if tuple(came) != right:
            yours = ", ".join(f"{x:g}" for x in came)
            return f"{written} has the scale {factor}: the numbers should be {list(right)}, and yours are [{yours}]"
    return ""
