# Exercise: attention.softmax
# Passed:   2026-11-29T06:53:51Z
# Course:   0.1.0
# Your own answer: use("attention.softmax") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor
import torch


def softmax(x: Tensor, dim: int) -> Tensor:
    """Softmax of x along dim; a row that is -inf throughout gives zeros."""
    largest = x.amax(dim=dim, keepdim=True)
    largest = largest.masked_fill(largest == float("-inf"), 0.0)  # -inf - -inf would be NaN
    exponentials = torch.exp(x - largest)
    total = exponentials.sum(dim=dim, keepdim=True)
    return exponentials / total.masked_fill(total == 0, 1.0)  # 0 / 1 instead of 0 / 0
