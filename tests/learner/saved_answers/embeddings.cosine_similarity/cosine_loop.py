# Exercise: embeddings.cosine_similarity
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("embeddings.cosine_similarity") runs it wherever the course needs it.
# ----------------------------------------
import torch


def cosine_loop(a, b):
    rows = []
    for x in a:
        row = []
        for y in b:
            length = x.norm() * y.norm()
            row.append((x * y).sum() / length if length > 0 else (x * y).sum() * 0)
        rows.append(torch.stack(row))
    return torch.stack(rows)


cosine_similarity = cosine_loop
