# Exercise: attention.entropy
# Passed:   2026-11-29T06:53:59Z
# Course:   0.1.0
# Your own answer: use("attention.entropy") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor
import torch


def entropy(weights: Tensor) -> Tensor:
    """Entropy (..., L) in nats of each query's weights (..., L, S); 0 log 0 counts 0."""
    safe = weights.masked_fill(weights == 0, 1.0)  # log 1 = 0
    return -(weights * torch.log(safe)).sum(dim=-1)  # (..., L, S) -> (..., L)
