# Exercise: feed_forward.gelu
# Passed:   2026-11-29T06:54:40Z
# Course:   0.1.0
# Your own answer: use("feed_forward.gelu") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor
import math
import torch


def gelu(x: Tensor) -> Tensor:
    """The exact GELU: each number times the share of a standard normal below it."""
    below = (1 + torch.erf(x / math.sqrt(2))) / 2
    return x * below
