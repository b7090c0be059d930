# Exercise: attention.causal_mask
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.causal_mask") runs it wherever the course needs it.
# ----------------------------------------
import torch


def causal_mask_loop(length):
    mask = torch.zeros(length, length, dtype=torch.bool)
    for i in range(length):
        mask[i, i + 1 :] = True
    return mask


causal_mask = causal_mask_loop
