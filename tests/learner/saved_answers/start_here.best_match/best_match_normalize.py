# Exercise: start_here.best_match
# Passed:   2026-11-29T07:00:03Z
# Course:   0.1.0
# Your own answer: use("start_here.best_match") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.nn.functional as F


def best_match_normalize(question, passages):
    return int(torch.argmax(F.normalize(passages, dim=1) @ F.normalize(question, dim=0)))


best_match = best_match_normalize
