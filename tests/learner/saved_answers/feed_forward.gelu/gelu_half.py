# Exercise: feed_forward.gelu
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("feed_forward.gelu") runs it wherever the course needs it.
# ----------------------------------------
import torch


def gelu_half(x):
    return 0.5 * x * (1.0 + torch.erf(x / 2**0.5))


gelu = gelu_half
