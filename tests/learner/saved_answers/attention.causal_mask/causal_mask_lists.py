# Exercise: attention.causal_mask
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.causal_mask") runs it wherever the course needs it.
# ----------------------------------------
import torch


def causal_mask_lists(length):
    return torch.tensor([[j > i for j in range(length)] for i in range(length)])


causal_mask = causal_mask_lists
