# Exercise: feed_forward.dropout
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("feed_forward.dropout") runs it wherever the course needs it.
# ----------------------------------------
import torch


def dropout_masked_fill(x, p, training):
    if not 0 <= p <= 1:
        raise ValueError(f"p is a probability, not {p}")
    if not training:
        return x
    return x.masked_fill(torch.rand(x.shape, device=x.device) < p, 0.0) / max(1 - p, 1e-9)


dropout = dropout_masked_fill
