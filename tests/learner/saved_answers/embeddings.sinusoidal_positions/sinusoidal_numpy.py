# Exercise: embeddings.sinusoidal_positions
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("embeddings.sinusoidal_positions") runs it wherever the course needs it.
# ----------------------------------------
import numpy as np
import torch


def sinusoidal_numpy(length, d_model):
    column = np.arange(d_model)
    angle = np.arange(length)[:, None] / np.power(10000, (column - column % 2) / d_model)
    angle[:, 0::2], angle[:, 1::2] = np.sin(angle[:, 0::2]), np.cos(angle[:, 1::2])
    return torch.from_numpy(angle).to(torch.get_default_dtype())


sinusoidal_positions = sinusoidal_numpy
