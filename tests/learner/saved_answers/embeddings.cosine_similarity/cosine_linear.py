# Exercise: embeddings.cosine_similarity
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("embeddings.cosine_similarity") runs it wherever the course needs it.
# ----------------------------------------
import torch.nn.functional as F


def cosine_linear(a, b):
    return F.linear(F.normalize(a), F.normalize(b))


cosine_similarity = cosine_linear
