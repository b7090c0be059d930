# Exercise: attention.merge_heads
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("attention.merge_heads") runs it wherever the course needs it.
# ----------------------------------------
import torch


def merge_heads_einsum(x):
    return torch.einsum("bhsd->bshd", x).reshape(x.shape[0], x.shape[2], -1)


merge_heads = merge_heads_einsum
