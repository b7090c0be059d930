# Exercise: attention.padding_mask
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.padding_mask") runs it wherever the course needs it.
# ----------------------------------------
import torch


def padding_mask_compare(lengths, max_length):
    return torch.arange(max_length, device=lengths.device)[None] >= lengths[:, None]


padding_mask = padding_mask_compare
