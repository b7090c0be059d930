# Exercise: embeddings.cosine_similarity
# Passed:   2026-11-29T07:00:04Z
# Course:   0.1.0
# Your own answer: use("embeddings.cosine_similarity") runs it wherever the course needs it.
# ----------------------------------------
import torch.nn.functional as F


def cosine_normalize(a, b):
    return F.normalize(a, dim=1) @ F.normalize(b, dim=1).mT


cosine_similarity = cosine_normalize
