# Exercise: attention.softmax
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.softmax") runs it wherever the course needs it.
# ----------------------------------------
import math
import torch


def softmax_where_rows(x, dim):
    dead = (x == -math.inf).all(dim=dim, keepdim=True)
    return torch.softmax(torch.where(dead, torch.zeros_like(x), x), dim=dim).masked_fill(dead, 0.0)


softmax = softmax_where_rows
