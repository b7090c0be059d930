# Exercise: stacking.token_similarity
# Passed:   2026-11-29T06:55:09Z
# Course:   0.1.0
# Your own answer: use("stacking.token_similarity") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor
import torch


def token_similarity(hidden: Tensor, padding_mask: Tensor | None = None) -> Tensor:
    """Mean cosine (B,) over the pairs of different real tokens of hidden (B, S, D)."""
    length = hidden.norm(dim=-1, keepdim=True)  # (B, S, 1)
    unit = hidden / length.masked_fill(length == 0, 1.0)  # a zero vector stays zero
    cosines = unit @ unit.transpose(-2, -1)  # (B, S, D) @ (B, D, S) -> (B, S, S)

    counts = ~torch.eye(hidden.shape[1], dtype=torch.bool, device=hidden.device)
    counts = counts.expand(cosines.shape)  # (S, S) -> (B, S, S): none with itself
    if padding_mask is not None:
        real = ~padding_mask
        counts = counts & real.unsqueeze(1) & real.unsqueeze(2)  # (B, S, S)
    total = cosines.masked_fill(~counts, 0.0).sum(dim=(-2, -1))  # (B,)
    return total / counts.sum(dim=(-2, -1)).clamp(min=1)  # without a pair: 0 / 1
