# Exercise: attention.softmax
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.softmax") runs it wherever the course needs it.
# ----------------------------------------
import torch


def softmax_vmap(x, dim):
    def row(numbers):
        return torch.softmax(numbers, 0).nan_to_num(0.0)

    dim %= x.dim()
    for _ in range(x.dim() - 1):
        row = torch.vmap(row)
    return row(x.movedim(dim, -1)).movedim(-1, dim)


softmax = softmax_vmap
