# Exercise: embeddings.sinusoidal_positions
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("embeddings.sinusoidal_positions") runs it wherever the course needs it.
# ----------------------------------------
import math
import torch


def sinusoidal_loop(length, d_model):
    table = torch.zeros(length, d_model)
    for position in range(length):
        for column in range(d_model):
            angle = position / 10000 ** (2 * (column // 2) / d_model)
            table[position, column] = math.sin(angle) if column % 2 == 0 else math.cos(angle)
    return table


sinusoidal_positions = sinusoidal_loop
