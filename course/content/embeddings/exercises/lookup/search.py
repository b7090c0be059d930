"""Which rows of the table a look-up takes, where it takes whole rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from course.checking.exercise import Case


def finds(function: Callable[[Tensor, Tensor], Tensor], failed: Sequence[Case]) -> list[str]:
    """The rows that come for some ids, among them the first row and the last, not in order."""
    weight = torch.arange(28, dtype=torch.float64).reshape(7, 4) + 0.5
    ids = torch.tensor([[4, 1, 6], [1, 0, 3]])
    made = function(weight.clone(), ids.clone())
    if made.shape != (*ids.shape, 4):
        return []
    rows = ((made.unsqueeze(-2) - weight).abs().amax(-1) < 1e-9).long()  # (2, 3, 7)
    if torch.equal(rows.argmax(-1), ids) and bool(rows.any(-1).all()):
        return []
    if bool(rows.any(-1).all()):
        return [f"for the ids {ids.tolist()} it takes the rows {rows.argmax(-1).tolist()} of seven"]
    return [
        "what comes for an id is no row of the table as it stands there: something is done to it"
    ]
