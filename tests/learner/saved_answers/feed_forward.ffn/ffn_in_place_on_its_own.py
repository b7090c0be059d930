# Exercise: feed_forward.ffn
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("feed_forward.ffn") runs it wherever the course needs it.
# ----------------------------------------
import torch


def ffn_in_place_on_its_own(x, w1, b1, w2, b2):
    inner = torch.matmul(x, w1)
    inner += b1
    inner.relu_()
    return torch.matmul(inner, w2).add(b2)


ffn = ffn_in_place_on_its_own
