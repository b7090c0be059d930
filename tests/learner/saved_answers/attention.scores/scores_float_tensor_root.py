# Exercise: attention.scores
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("attention.scores") runs it wherever the course needs it.
# ----------------------------------------
import torch


def scores_float_tensor_root(query, key):
    d = torch.tensor(query.size(-1), dtype=query.dtype, device=query.device)
    return torch.matmul(query, key.transpose(-1, -2)) / d.sqrt()


scores = scores_float_tensor_root
