# Exercise: feed_forward.count_parameters
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("feed_forward.count_parameters") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.nn as nn


def count_parts(d_model, nhead, dim_feedforward):
    with torch.device("meta"):
        parts = nn.ModuleList([nn.MultiheadAttention(d_model, nhead)])
        parts.extend([nn.Linear(d_model, dim_feedforward), nn.Linear(dim_feedforward, d_model)])
        parts.extend(nn.LayerNorm(d_model) for _ in range(2))
    return sum(parameter.numel() for parameter in parts.parameters())


count_parameters = count_parts
