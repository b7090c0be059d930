# Exercise: feed_forward.count_parameters
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("feed_forward.count_parameters") runs it wherever the course needs it.
# ----------------------------------------
import torch.nn as nn


def count_torch(d_model, nhead, dim_feedforward):
    layer = nn.TransformerEncoderLayer(d_model, nhead, dim_feedforward, batch_first=True)
    return sum(parameter.numel() for parameter in layer.parameters())


count_parameters = count_torch
