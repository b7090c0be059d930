# Exercise: embeddings.sinusoidal_positions
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("embeddings.sinusoidal_positions") runs it wherever the course needs it.
# ----------------------------------------
import torch


def sinusoidal_stack(length, d_model):
    pairs = torch.arange((d_model + 1) // 2, dtype=torch.float64)
    angle = torch.outer(torch.arange(length, dtype=torch.float64), 10000 ** (-2 * pairs / d_model))
    both = torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(1)[:, :d_model]
    return both.to(torch.get_default_dtype())


sinusoidal_positions = sinusoidal_stack
