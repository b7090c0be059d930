# Exercise: embeddings.sinusoidal_positions
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("embeddings.sinusoidal_positions") runs it wherever the course needs it.
# ----------------------------------------
import math
import torch


def sinusoidal_shifted_sine(length, d_model):
    column = torch.arange(d_model, dtype=torch.float64)
    rates = torch.pow(torch.tensor(10000.0, dtype=torch.float64), -(column - column % 2) / d_model)
    position = torch.arange(length, dtype=torch.float64)[:, None]
    return torch.sin(position * rates + (column % 2) * math.pi / 2).float()


sinusoidal_positions = sinusoidal_shifted_sine
