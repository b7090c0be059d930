# Exercise: feed_forward.gelu
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("feed_forward.gelu") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.special


def gelu_ndtr(x):
    return x * torch.special.ndtr(x)


gelu = gelu_ndtr
