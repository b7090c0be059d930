# Exercise: embeddings.cosine_similarity
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("embeddings.cosine_similarity") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.nn.functional as F


def cosine_columns(a, b):
    return torch.stack([F.cosine_similarity(a, row.expand_as(a)) for row in b], dim=1)


cosine_similarity = cosine_columns
