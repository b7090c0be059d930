# Exercise: feed_forward.gelu
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("feed_forward.gelu") runs it wherever the course needs it.
# ----------------------------------------
import math
import torch


def gelu_addcmul(x):
    return 0.5 * torch.addcmul(x, x, torch.erf(x * math.sqrt(0.5)))


gelu = gelu_addcmul
