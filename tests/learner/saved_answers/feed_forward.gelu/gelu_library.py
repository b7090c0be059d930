# Exercise: feed_forward.gelu
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("feed_forward.gelu") runs it wherever the course needs it.
# ----------------------------------------
import torch.nn.functional as F


def gelu_library(x):
    return F.gelu(x)


gelu = gelu_library
