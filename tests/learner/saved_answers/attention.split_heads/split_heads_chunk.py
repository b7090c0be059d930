# Exercise: attention.split_heads
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.split_heads") runs it wherever the course needs it.
# ----------------------------------------
import torch


def split_heads_chunk(x, nhead):
    if x.shape[2] % nhead != 0:
        raise ValueError("the width must be divisible by the number of heads")
    return torch.stack(x.chunk(nhead, dim=-1), dim=1)


split_heads = split_heads_chunk
