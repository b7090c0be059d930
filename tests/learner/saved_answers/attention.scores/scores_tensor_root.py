# Exercise: attention.scores
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("attention.scores") runs it wherever the course needs it.
# ----------------------------------------
import torch


def scores_tensor_root(query, key):
    return torch.matmul(query, key.transpose(-1, -2)) / torch.sqrt(torch.tensor(query.size(-1)))


scores = scores_tensor_root
