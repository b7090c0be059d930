# Exercise: attention.scores
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("attention.scores") runs it wherever the course needs it.
# ----------------------------------------
import torch


def scores_root_of_both(query, key):
    root = query.shape[-1] ** 0.25
    return torch.matmul(query / root, (key / root).swapaxes(-1, -2))


scores = scores_root_of_both
