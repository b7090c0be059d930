# Exercise: embeddings.cosine_similarity
# Passed:   2026-11-29T06:53:25Z
# Course:   0.1.0
# Your own answer: use("embeddings.cosine_similarity") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor


def cosine_similarity(a: Tensor, b: Tensor) -> Tensor:
    """Every row of a (N, D) with every row of b (M, D): (N, M); 0 for a zero vector."""
    a = a / a.norm(dim=-1, keepdim=True).clamp(min=1e-12)  # (N, D), rows of length 1
    b = b / b.norm(dim=-1, keepdim=True).clamp(min=1e-12)  # (M, D)
    return a @ b.T  # (N, D) @ (D, M) -> (N, M)
