# Exercise: embeddings.sinusoidal_positions
# Passed:   2026-11-29T06:53:37Z
# Course:   0.1.0
# Your own answer: use("embeddings.sinusoidal_positions") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor
import torch


def sinusoidal_positions(length: int, d_model: int) -> Tensor:
    """The table (length, d_model): sine in the even columns, cosine in the odd ones."""
    position = torch.arange(length).unsqueeze(1)  # (length, 1)
    column = torch.arange(d_model)  # (d_model,)
    angle = position / 10000 ** (2 * (column // 2) / d_model)  # (length, d_model)
    return torch.where(column % 2 == 0, angle.sin(), angle.cos())
