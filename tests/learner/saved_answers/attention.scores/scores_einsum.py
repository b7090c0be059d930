# Exercise: attention.scores
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("attention.scores") runs it wherever the course needs it.
# ----------------------------------------
import math
import torch


def scores_einsum(query, key):
    return torch.einsum("...ld,...sd->...ls", query, key) / math.sqrt(query.size(-1))


scores = scores_einsum
