# Exercise: attention.softmax
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("attention.softmax") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor
import torch


INF = float("inf")


def softmax_library(x: Tensor, dim: int) -> Tensor:
    return torch.softmax(x, dim).masked_fill((x == -INF).all(dim, keepdim=True), 0.0)


softmax = softmax_library
