# Exercise: start_here.best_match
# Passed:   2026-11-29T07:00:03Z
# Course:   0.1.0
# Your own answer: use("start_here.best_match") runs it wherever the course needs it.
# ----------------------------------------
import torch


def best_match_sorted(question, passages):
    scores = []
    for i in range(passages.shape[0]):
        length = torch.sqrt((passages[i].double() ** 2).sum())
        product = (passages[i].double() * question.double()).sum()
        scores.append((0.0 if length == 0 else -float(product / length), i))
    return sorted(scores)[0][1]


best_match = best_match_sorted
