# Exercise: embeddings.cosine_similarity
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("embeddings.cosine_similarity") runs it wherever the course needs it.
# ----------------------------------------
import torch


def cosine_einsum(a, b):
    one, two = (x.square().sum(-1).sqrt() for x in (a, b))
    one, two = (torch.where(x == 0, torch.ones_like(x), x) for x in (one, two))
    return torch.einsum("nd,md->nm", a / one[:, None], b / two[:, None])


cosine_similarity = cosine_einsum
