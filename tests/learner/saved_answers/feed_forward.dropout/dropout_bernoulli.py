# Exercise: feed_forward.dropout
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("feed_forward.dropout") runs it wherever the course needs it.
# ----------------------------------------
import torch


def dropout_bernoulli(x, p, training):
    if p < 0 or p > 1:
        raise ValueError("no probability")
    if not training or p == 0:
        return x
    if p == 1:
        return x * 0
    return x * torch.bernoulli(torch.full_like(x, 1 - p)) / (1 - p)


dropout = dropout_bernoulli
