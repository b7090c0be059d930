"""Where an answer puts tokens that have names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case

_NAMES = {1.0: "a", 2.0: "b", 3.0: "c", 0.0: "0"}


def search(function: Callable[..., Any], failed: Sequence[Case]) -> list[str]:
    """Where three tokens land that belong to places 0, 1 and 5 of two texts."""
    packed = torch.tensor([[1.0], [2.0], [3.0]], dtype=torch.float64)
    with torch.no_grad():
        result = function(packed, torch.tensor([0, 1, 5]), 2, 4)
    if not isinstance(result, Tensor) or result.shape != (2, 4, 1):
        return []
    rows = [" ".join(_NAMES.get(x, f"{x:g}") for x in row) for row in result.squeeze(-1).tolist()]
    if rows == ["a b 0 0", "0 c 0 0"]:
        return []
    return [
        "the tokens a, b and c with the indices 0, 1 and 5 belong into 2 texts of 4 places as [a b 0 0] and "
        f"[0 c 0 0]; yours are [{rows[0]}] and [{rows[1]}]"
    ]
