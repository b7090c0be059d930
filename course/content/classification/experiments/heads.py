"""A linear head on vectors that stay as they are, trained as the chapter's cell shows."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["train"]


def train(x: Tensor, labels: Tensor, steps: int) -> nn.Linear:
    """Return a linear layer (D,) -> (C,), trained on all vectors `(N, D)` and labels `(N,)` at once.

    Every class from 0 to C - 1 needs an example. Sets torch's seed to 0.
    """
    torch.manual_seed(0)
    head = nn.Linear(x.shape[1], int(labels.max()) + 1)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.02)
    for _ in range(steps):
        loss = F.cross_entropy(head(x), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return head
