# Exercise: attention.causal_mask
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.causal_mask") runs it wherever the course needs it.
# ----------------------------------------
import torch.nn as nn


INF = float("inf")


def causal_mask_torch(length):
    return nn.Transformer.generate_square_subsequent_mask(length) == -INF


causal_mask = causal_mask_torch
