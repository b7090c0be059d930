# Exercise: embeddings.sinusoidal_positions
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("embeddings.sinusoidal_positions") runs it wherever the course needs it.
# ----------------------------------------
import math
import torch


def sinusoidal_annotated(length, d_model):
    pe = torch.zeros(length, d_model)
    position = torch.arange(0, length, dtype=torch.float).unsqueeze(1)
    div_term = torch.exp(torch.arange(0, d_model, 2).float() * (-math.log(10000.0) / d_model))
    pe[:, 0::2] = torch.sin(position * div_term)
    pe[:, 1::2] = torch.cos(position * div_term)[:, : d_model // 2]
    return pe


sinusoidal_positions = sinusoidal_annotated
