# Exercise: embeddings.cosine_similarity
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("embeddings.cosine_similarity") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.linalg


def cosine_nan_to_num(a, b):
    a = (a / torch.linalg.vector_norm(a, dim=-1, keepdim=True)).nan_to_num()
    b = (b / torch.linalg.vector_norm(b, dim=-1, keepdim=True)).nan_to_num()
    return a.matmul(b.transpose(0, 1))


cosine_similarity = cosine_nan_to_num
