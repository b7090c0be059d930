# Exercise: feed_forward.dropout
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("feed_forward.dropout") runs it wherever the course needs it.
# ----------------------------------------
import torch


def dropout_keeps_what_is_above_p(x, p, training):
    """Strictly above: in half precision a draw can be 0, and with p = 0 that number falls."""
    if p < 0 or p > 1:
        raise ValueError("p must lie between 0 and 1")
    if not training:
        return x
    if p == 1:
        return torch.zeros_like(x)
    mask = (torch.rand_like(x) > p).to(x.dtype)
    return x * mask / (1 - p)


dropout = dropout_keeps_what_is_above_p
