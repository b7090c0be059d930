# Exercise: embeddings.rotary
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("embeddings.rotary") runs it wherever the course needs it.
# ----------------------------------------
import torch


def rotary_complex(x, positions, base=10000.0):
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    rates = base ** (-torch.arange(0, x.shape[-1], 2, dtype=wide, device=x.device) / x.shape[-1])
    angle = positions.to(wide)[..., None] * rates
    pairs = torch.view_as_complex(x.to(wide).unflatten(-1, (-1, 2)).contiguous())
    turned = pairs * torch.polar(torch.ones_like(angle), angle)
    return torch.view_as_real(turned).flatten(-2).to(x.dtype)


rotary = rotary_complex
