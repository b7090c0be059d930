# Exercise: feed_forward.dropout
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("feed_forward.dropout") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.nn.functional as F


def dropout_of_ones(x, p, training):
    if not 0 <= p <= 1:
        raise ValueError(f"no probability: {p}")
    return x * F.dropout(torch.ones_like(x), p) if training else x


dropout = dropout_of_ones
