# Exercise: embeddings.rotary
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("embeddings.rotary") runs it wherever the course needs it.
# ----------------------------------------
import torch


def rotary_matrices(x, positions, base=10000.0):
    angle = positions.double()[..., None] / base ** (
        torch.arange(0, x.shape[-1], 2, device=x.device).double() / x.shape[-1]
    )
    rows = torch.stack((angle.cos(), -angle.sin()), -1), torch.stack((angle.sin(), angle.cos()), -1)
    matrix = torch.stack(rows, dim=-2)  # (..., S, Dh / 2, 2, 2)
    pairs = x.double().reshape(*x.shape[:-1], -1, 2, 1)
    return (matrix @ pairs).reshape(x.shape).to(x.dtype)


rotary = rotary_matrices
