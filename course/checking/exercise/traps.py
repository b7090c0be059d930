"""What remarks look for in the values of an answer that passed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

IDLE_QUERY = "nan-gradient-at-an-idle-query"
SAYS_OF_IDLE_QUERY = (
    "A query that may look at nothing gets the right result, but the gradients that flow back to the inputs "
    "are NaN: 0/0 is computed on the way and replaced afterwards, and a mask that is added to the scores lets "
    "its NaN through. In training, one sentence of padding only makes NaN of all weights with the next step. "
    "Block with `masked_fill` or `torch.where`, and let no 0/0 arise."
)


def not_finite(came: Any, wanted: Any) -> bool:
    """Whether NaN or inf came where the reference has a number."""
    return any(
        bool((~one.isfinite() & other.isfinite()).any()) for one, other in _pairs(came, wanted)
    )


def loses_digits(came: Any, wanted: Any, relative: float) -> bool:
    """Whether a result is further from the exact one than `relative` of its largest value."""
    return any(
        not torch.allclose(one, other, 0.0, relative * float(other.abs().max()), equal_nan=True)
        for one, other in _pairs(came, wanted)
        if other.numel()
    )


def other_dtype(came: Any, wanted: Any) -> bool:
    """Whether a result has another dtype than the reference's."""
    return isinstance(came, Tensor) and bool(came.dtype != wanted.dtype)


def _pairs(came: Any, wanted: Any) -> Iterator[tuple[Tensor, Tensor]]:
    ones, others = (
        value if isinstance(value, tuple | list) else (value,) for value in (came, wanted)
    )
    for one, other in zip(ones, others, strict=True):
        if isinstance(one, Tensor) and isinstance(other, Tensor) and other.is_floating_point():
            yield one.double(), other.double()
