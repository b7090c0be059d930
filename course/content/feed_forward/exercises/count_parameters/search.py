"""A count of parameters as a polynomial in its sizes: which term is counted too often or too seldom."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from course.checking.exercise import Case

_TERMS = ("d_model * d_model", "d_model * dim_feedforward", "d_model", "dim_feedforward", "1")
_RIGHT = (4, 2, 9, 1, 0)
_WIDTHS, _INNER, _HEADS = (8, 16, 24, 40), (3, 10, 21), 4

Count = Callable[[int, int, int], float]


def finds(function: Count, failed: Sequence[Case]) -> list[str]:
    """Whether the heads matter, which they must not; else the first term whose factor is wrong."""
    if len({float(function(24, heads, 10)) for heads in (1, 2, 4)}) > 1:
        return [
            "the result changes with nhead: heads share out the columns of the same matrices, so that their "
            "number changes nothing"
        ]
    sizes = [(d, f) for d in _WIDTHS for f in _INNER]
    rows = [[d * d, d * f, d, f, 1] for d, f in sizes]
    counts = [[float(function(d, _HEADS, f))] for d, f in sizes]
    table, made = torch.tensor(rows).double(), torch.tensor(counts).double()
    found = torch.linalg.lstsq(table, made).solution
    if not torch.allclose(table @ found, made, 1e-9, 1e-6):
        return []
    counted = [round(count, 6) + 0.0 for count in found.flatten().tolist()]
    return [
        f"the term {term} is counted {came:.4g} times: which of the matrices and vectors have that many numbers?"
        for term, came, right in zip(_TERMS, counted, _RIGHT, strict=True)
        if abs(came - right) > 1e-6
    ]
