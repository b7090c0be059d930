# Exercise: embeddings.cosine_similarity
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("embeddings.cosine_similarity") runs it wherever the course needs it.
# ----------------------------------------
import torch


def cosine_rsqrt(a, b):
    def unit(x):
        s = x.square().sum(1, keepdim=True)
        return x * torch.where(s > 0, s, torch.ones_like(s)).rsqrt()

    return torch.mm(unit(a), unit(b).t())


cosine_similarity = cosine_rsqrt
