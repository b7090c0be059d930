# Exercise: feed_forward.ffn
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("feed_forward.ffn") runs it wherever the course needs it.
# ----------------------------------------
import torch.nn.functional as F


def ffn_convolution(x, w1, b1, w2, b2):
    """A convolution of width 1 does the same to each place."""
    tokens = x.reshape(-1, x.shape[-1], 1)
    inner = F.conv1d(tokens, w1.T[..., None], b1).relu()
    return F.conv1d(inner, w2.T[..., None], b2).reshape(x.shape)


ffn = ffn_convolution
