# Exercise: embeddings.rotary
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("embeddings.rotary") runs it wherever the course needs it.
# ----------------------------------------
import torch


def rotary_by_halves(x, positions, base=10000.0):
    """The even places brought before the odd ones, turned as halves, and brought back."""
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    half = x.shape[-1] // 2
    rates = base ** (-torch.arange(half, device=x.device, dtype=wide) / half)
    angle = (positions.to(wide)[..., None] * rates).repeat(*[1] * positions.dim(), 2)
    sorted_x = torch.cat([x[..., ::2], x[..., 1::2]], -1)
    turned = torch.cat([-sorted_x[..., half:], sorted_x[..., :half]], -1)
    result = sorted_x * angle.cos() + turned * angle.sin()
    return result.unflatten(-1, (2, half)).transpose(-1, -2).flatten(-2).to(x.dtype)


rotary = rotary_by_halves
