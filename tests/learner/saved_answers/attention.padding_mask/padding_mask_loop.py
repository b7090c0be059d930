# Exercise: attention.padding_mask
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.padding_mask") runs it wherever the course needs it.
# ----------------------------------------
import torch


def padding_mask_loop(lengths, max_length):
    mask = torch.ones(len(lengths), max_length, dtype=torch.bool, device=lengths.device)
    for row, length in enumerate(lengths.tolist()):
        mask[row, :length] = False
    return mask


padding_mask = padding_mask_loop
