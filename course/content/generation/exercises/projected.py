"""Inputs that the two exercises with projections share: weights of a size that keeps unit scale, biases that are not 0."""

from __future__ import annotations

import math

from torch import Tensor

from course.checking.exercise.draw import Draw


def weights(draw: Draw, d_model: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """w_in (3D, D), b_in (3D,), w_out (D, D) and b_out (D,)."""
    small = 1 / math.sqrt(d_model)
    return (
        draw.normal(3 * d_model, d_model) * small,
        draw.normal(3 * d_model) * 0.5,
        draw.normal(d_model, d_model) * small,
        draw.normal(d_model) * 0.5,
    )


def heads(x: Tensor, weight: Tensor, bias: Tensor, nhead: int) -> Tensor:
    """Project x (B, N, D) and cut it into heads, (B, H, N, Dh)."""
    return cut(x @ weight.T + bias, nhead)


def cut(x: Tensor, nhead: int) -> Tensor:
    """Cut x (B, N, D) into heads, (B, H, N, Dh)."""
    return x.reshape(*x.shape[:2], nhead, -1).transpose(1, 2)


def joined(heads: Tensor) -> Tensor:
    """Put heads (B, H, N, Dh) side by side, (B, N, D)."""
    return heads.transpose(1, 2).flatten(2)
