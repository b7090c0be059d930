# Exercise: start_here.best_match
# Passed:   2026-11-29T07:00:03Z
# Course:   0.1.0
# Your own answer: use("start_here.best_match") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.linalg


def best_match_topk(question, passages):
    lengths = torch.linalg.vector_norm(passages, dim=-1).clamp(min=1e-6)
    similarities = torch.mv(passages, question) / lengths
    return int((similarities == similarities.max()).nonzero()[0, 0])


best_match = best_match_topk
