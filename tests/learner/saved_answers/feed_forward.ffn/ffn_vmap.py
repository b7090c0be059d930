# Exercise: feed_forward.ffn
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("feed_forward.ffn") runs it wherever the course needs it.
# ----------------------------------------
import torch


def ffn_vmap(x, w1, b1, w2, b2):
    def token(numbers):
        return torch.relu(numbers @ w1 + b1) @ w2 + b2

    for _ in range(x.dim() - 1):
        token = torch.vmap(token)
    return token(x)


ffn = ffn_vmap
