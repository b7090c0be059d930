# Exercise: attention.softmax
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("attention.softmax") runs it wherever the course needs it.
# ----------------------------------------
import torch


INF = float("inf")


def softmax_logsumexp(x, dim):
    total = torch.logsumexp(x, dim, keepdim=True)
    return torch.where(
        total == -INF, torch.zeros_like(x), torch.exp(x - torch.where(total == -INF, 0.0, total))
    )


softmax = softmax_logsumexp
