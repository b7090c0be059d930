# Exercise: feed_forward.dropout
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("feed_forward.dropout") runs it wherever the course needs it.
# ----------------------------------------
import torch


def dropout_bernoulli_in_place(x, p, training):
    if not 0 <= p <= 1:
        raise ValueError("p outside of [0, 1]")
    if not training:
        return x
    mask = torch.empty_like(x).bernoulli_(1 - p)
    if p < 1:
        mask /= 1 - p
    return x * mask


dropout = dropout_bernoulli_in_place
