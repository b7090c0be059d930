# Exercise: attention.padding_mask
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.padding_mask") runs it wherever the course needs it.
# ----------------------------------------
import torch


def padding_mask_lists(lengths, max_length):
    rows = [[place >= int(n) for place in range(max_length)] for n in lengths]
    return torch.tensor(rows, dtype=torch.bool).to(lengths.device)


padding_mask = padding_mask_lists
