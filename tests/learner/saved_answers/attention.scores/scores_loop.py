# Exercise: attention.scores
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("attention.scores") runs it wherever the course needs it.
# ----------------------------------------
import torch


def scores_loop(query, key):
    rows = []
    for i in range(query.shape[-2]):
        one = query[..., i : i + 1, :]
        rows.append((one * key).sum(-1) * query.shape[-1] ** -0.5)
    return torch.stack(rows, dim=-2)


scores = scores_loop
