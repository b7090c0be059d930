# Exercise: stacking.token_similarity
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("stacking.token_similarity") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor
import torch
import torch.nn.functional as F


def token_similarity_sums(hidden: Tensor, padding_mask: Tensor | None = None) -> Tensor:
    """The square of a sum holds every pair twice, and each vector with itself."""
    unit = F.normalize(hidden, dim=-1)
    if padding_mask is None:
        count = torch.full(hidden.shape[:1], hidden.shape[1], device=hidden.device)
    else:
        unit = unit.masked_fill(padding_mask.unsqueeze(-1), 0.0)
        count = (~padding_mask).sum(1)
    pairs = unit.sum(1).square().sum(-1) - unit.square().sum((1, 2))
    return pairs / (count * (count - 1)).clamp(min=1)


token_similarity = token_similarity_sums
