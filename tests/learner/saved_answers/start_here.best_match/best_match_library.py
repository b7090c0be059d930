# Exercise: start_here.best_match
# Passed:   2026-11-29T07:00:03Z
# Course:   0.1.0
# Your own answer: use("start_here.best_match") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor
import torch.nn.functional as F


def best_match_library(question: Tensor, passages: Tensor) -> int:
    return F.cosine_similarity(passages, question.unsqueeze(0), dim=-1).argmax().item()


best_match = best_match_library
