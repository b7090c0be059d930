# Exercise: embeddings.rotary
# Passed:   2026-11-29T06:53:37Z
# Course:   0.1.0
# Your own answer: use("embeddings.rotary") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor
import torch


def rotary(x: Tensor, positions: Tensor, base: float = 10000.0) -> Tensor:
    """Each pair of neighbours in x (..., S, Dh), turned by its position's angle."""
    dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
    d_head = x.shape[-1]
    exponent = torch.arange(0, d_head, 2, dtype=dtype, device=x.device) / d_head
    angle = positions.to(dtype).unsqueeze(-1) * base**-exponent  # (..., S, Dh / 2)
    cos, sin = angle.cos(), angle.sin()
    a, b = x[..., 0::2], x[..., 1::2]  # (..., S, Dh / 2) each
    turned = torch.stack((a * cos - b * sin, a * sin + b * cos), dim=-1)  # (..., 2)
    return turned.flatten(-2).to(x.dtype)  # (..., S, Dh)
