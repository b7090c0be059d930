# Exercise: embeddings.lookup
# Passed:   2026-11-29T07:00:04Z
# Course:   0.1.0
# Your own answer: use("embeddings.lookup") runs it wherever the course needs it.
# ----------------------------------------
import torch


def lookup_gather(weight, ids):
    places = ids.reshape(-1, 1).expand(-1, weight.shape[1])
    return torch.gather(weight, 0, places).reshape(*ids.shape, weight.shape[1])


lookup = lookup_gather
