# Exercise: start_here.best_match
# Passed:   2026-11-29T07:00:03Z
# Course:   0.1.0
# Your own answer: use("start_here.best_match") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor
import math


def best_match_max_by_key(question: Tensor, passages: Tensor) -> int:
    def similarity(i: int) -> float:
        length = math.sqrt(sum(v * v for v in passages[i].tolist()))
        product = sum(a * b for a, b in zip(passages[i].tolist(), question.tolist(), strict=True))
        return product / length if length else 0.0

    return max(range(len(passages)), key=similarity)


best_match = best_match_max_by_key
