# Exercise: feed_forward.ffn
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("feed_forward.ffn") runs it wherever the course needs it.
# ----------------------------------------
import torch.nn.functional as F


def ffn_linear(x, w1, b1, w2, b2):
    return F.linear(F.relu(F.linear(x, w1.T, b1)), w2.T, b2)


ffn = ffn_linear
