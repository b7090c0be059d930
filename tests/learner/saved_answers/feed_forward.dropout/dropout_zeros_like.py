# Exercise: feed_forward.dropout
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("feed_forward.dropout") runs it wherever the course needs it.
# ----------------------------------------
import torch


def dropout_zeros_like(x, p, training):
    if p > 1 or p < 0:
        raise ValueError(p)
    if training:
        if p == 1:
            return torch.zeros_like(x)
        keep = torch.rand(x.shape, device=x.device) > p
        return torch.where(keep, x / (1 - p), 0.0)
    return x


dropout = dropout_zeros_like
