"""What the exercises on predicted and actual classes share: labels, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

OF_LABELS = {
    "no example": "N = 0",
    "a single example": "N = 1",
    "a single class": "classes = 1",
    "as many examples as classes": "N = classes; N > 1",
    "a class that is never predicted": "unpredicted = 1",
    "a class without examples": "unseen = 1",
    "the last class in neither": "last = 1",
}


def whole(labels: Sequence[int]) -> Tensor:
    """Labels as int64."""
    return torch.tensor(labels, dtype=torch.int64)


def drawn(seed: int, count: int, classes: int) -> tuple[Tensor, Tensor]:
    """(N,) and (N,): predicted and actual, more often right than not, small classes rarer."""
    generator = torch.Generator().manual_seed(7919 * seed + 99)
    shares = torch.arange(1, classes + 1).double()
    actual = torch.multinomial(shares, count, replacement=True, generator=generator)
    other = torch.randint(classes, (count,), generator=generator)
    # A class is mostly taken for the next one, so that the matrix is far from symmetric.
    wrong = torch.where(other % 2 == 0, (actual + 1) % classes, other)
    right = torch.rand(count, generator=generator) < 0.6
    return torch.where(right, actual, wrong), actual
