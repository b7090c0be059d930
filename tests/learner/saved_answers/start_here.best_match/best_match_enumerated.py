# Exercise: start_here.best_match
# Passed:   2026-11-29T07:00:03Z
# Course:   0.1.0
# Your own answer: use("start_here.best_match") runs it wherever the course needs it.
# ----------------------------------------
import torch.nn.functional as F


def best_match_enumerated(question, passages):
    sim = F.cosine_similarity(question, passages, dim=-1)
    best = max(enumerate(sim.tolist()), key=lambda p: p[1])
    return best[0]


best_match = best_match_enumerated
