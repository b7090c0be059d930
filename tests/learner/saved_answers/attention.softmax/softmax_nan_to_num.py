# Exercise: attention.softmax
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("attention.softmax") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.nn.functional as F


def softmax_nan_to_num(x, dim):
    return torch.nan_to_num(F.softmax(x, dim=dim), nan=0.0)


softmax = softmax_nan_to_num
