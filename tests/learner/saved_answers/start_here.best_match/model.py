# Exercise: start_here.best_match
# Passed:   2026-11-29T06:53:07Z
# Course:   0.1.0
# Your own answer: use("start_here.best_match") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor


def best_match(question: Tensor, passages: Tensor) -> int:
    """The index of the row of passages (N, D) with the largest cosine with question."""
    lengths = passages.norm(dim=-1)  # (N,); the question's length is common to all
    products = passages @ question  # (N, D) @ (D,) -> (N,)
    similarities = products / lengths.masked_fill(lengths == 0, 1.0)  # no 0 / 0
    return int(similarities.argmax())
