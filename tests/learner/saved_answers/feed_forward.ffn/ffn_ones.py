# Exercise: feed_forward.ffn
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("feed_forward.ffn") runs it wherever the course needs it.
# ----------------------------------------
import torch


def ffn_ones(x, w1, b1, w2, b2):
    """The biases as one more row of each matrix."""
    one = torch.ones_like(x[..., :1])
    inner = (torch.cat([x, one], -1) @ torch.cat([w1, b1[None]])).relu()
    return torch.cat([inner, one], -1) @ torch.cat([w2, b2[None]])


ffn = ffn_ones
