# Exercise: embeddings.cosine_similarity
# Passed:   2026-11-29T07:00:04Z
# Course:   0.1.0
# Your own answer: use("embeddings.cosine_similarity") runs it wherever the course needs it.
# ----------------------------------------
import torch


def cosine_where(a, b):
    lengths = torch.outer(a.norm(dim=1), b.norm(dim=1))
    return torch.where(lengths > 0, (a @ b.T) / torch.where(lengths > 0, lengths, 1), 0)


cosine_similarity = cosine_where
