# Exercise: feed_forward.gelu
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("feed_forward.gelu") runs it wherever the course needs it.
# ----------------------------------------
import torch.nn as nn


def gelu_module(x):
    return nn.GELU()(x)


gelu = gelu_module
