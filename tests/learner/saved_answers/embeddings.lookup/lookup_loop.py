# Exercise: embeddings.lookup
# Passed:   2026-11-29T07:00:04Z
# Course:   0.1.0
# Your own answer: use("embeddings.lookup") runs it wherever the course needs it.
# ----------------------------------------
import torch


def lookup_loop(weight, ids):
    return torch.stack([torch.stack([weight[i] for i in row]) for row in ids])


lookup = lookup_loop
