# Exercise: start_here.best_match
# Passed:   2026-11-29T07:00:03Z
# Course:   0.1.0
# Your own answer: use("start_here.best_match") runs it wherever the course needs it.
# ----------------------------------------
import torch


def best_match_einsum(question, passages):
    lengths = passages.pow(2).sum(-1).sqrt()
    cosines = torch.einsum("nd,d->n", passages, question) / lengths
    return torch.nan_to_num(cosines, nan=0.0).argmax().tolist()


best_match = best_match_einsum
