"""What an answer does with inputs that count their numbers from 0 on: where each number ends up can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor

# What the input is, in words, and the arguments.
Example = tuple[str, tuple[Any, ...]]


def first_wrong_row(
    function: Callable[..., Any],
    model: Callable[..., Any],
    examples: Iterable[Example],
    row: Callable[[int], str],
) -> list[str]:
    """A sentence on the first row, along the last axis, that differs from the model solution's.

    `row` names a row by its number, counted over all axes but the last. Results of another shape are left alone.
    """
    for says, args in examples:
        wanted = model(*(arg.clone() if isinstance(arg, Tensor) else arg for arg in args))
        came = function(*(arg.clone() if isinstance(arg, Tensor) else arg for arg in args))
        if not isinstance(came, Tensor) or came.shape != wanted.shape:
            return []
        for number, (right, own) in enumerate(zip(_rows(wanted), _rows(came), strict=True)):
            if right != own:
                return [f"{says}, {row(number)} should be {_shown(right)} and is {_shown(own)}"]
    return []


def _rows(result: Tensor) -> list[list[float]]:
    return [row.tolist() for row in result.reshape(-1, result.shape[-1])]


def _shown(row: list[float]) -> str:
    return " ".join(f"{number:g}" for number in row)
