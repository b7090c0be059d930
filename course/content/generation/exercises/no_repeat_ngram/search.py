"""Which tokens an answer blocks, in a text in which few things can be mixed up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from course.checking.exercise import Case

_TEXTS: tuple[tuple[list[int], int, list[int]], ...] = (  # ids, n, what should be blocked
    ([1, 5, 6, 7, 5], 2, [6]),
    ([1, 5, 6, 7, 8, 5, 6], 3, [7]),
    ([1, 5, 6, 5, 8, 5], 2, [6, 8]),
    ([1, 5, 7, 9, 4, 7], 3, []),
    ([1, 5, 6, 5], 1, [1, 5, 6]),
    ([1], 3, []),
)


def search(
    function: Callable[[Tensor, list[int], int], Tensor], failed: Sequence[Case]
) -> list[str]:
    """A sentence on the first of these texts in which other tokens are blocked than should be."""
    logits = torch.arange(10.0) / 4 + 0.5
    for ids, n, wanted in _TEXTS:
        result = function(logits.clone(), list(ids), n)
        if not isinstance(result, Tensor) or result.shape != logits.shape:
            return []
        blocked = (result == -torch.inf).nonzero().flatten().tolist()
        about = f"after {ids}, with n = {n},"
        if blocked != wanted:
            return [f"{about} it blocks {_list(blocked)}, and should block {_list(wanted)}"]
        rest = [v for v in range(10) if v not in wanted and result[v] != logits[v]]
        if rest:
            return [
                f"{about} it blocks the right tokens and changes the logits of others: {_list(rest)}"
            ]
    return []


def _list(tokens: Sequence[int]) -> str:
    return ", ".join(map(str, tokens)) or "nothing"
