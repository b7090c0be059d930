# Exercise: feed_forward.dropout
# Passed:   2026-11-29T06:54:54Z
# Course:   0.1.0
# Your own answer: use("feed_forward.dropout") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor
import torch


def dropout(x: Tensor, p: float, training: bool) -> Tensor:
    """Inverted dropout of x; ValueError where p is no probability."""
    if not 0 <= p <= 1:
        raise ValueError(f"p is a probability, from 0 to 1; it is {p}")
    if not training:
        return x
    dropped = torch.rand_like(x) < p  # True with probability p
    scale = 1 / (1 - p) if p < 1 else 0.0
    return x.masked_fill(dropped, 0.0) * scale
