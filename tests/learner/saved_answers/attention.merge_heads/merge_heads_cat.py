# Exercise: attention.merge_heads
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.merge_heads") runs it wherever the course needs it.
# ----------------------------------------
import torch


def merge_heads_cat(x):
    return torch.cat([x[:, h] for h in range(x.shape[1])], dim=-1)


merge_heads = merge_heads_cat
