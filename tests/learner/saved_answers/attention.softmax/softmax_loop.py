# Exercise: attention.softmax
# Passed:   2026-11-29T07:00:05Z
# Course:   0.1.0
# Your own answer: use("attention.softmax") runs it wherever the course needs it.
# ----------------------------------------
import torch


INF = float("inf")


def softmax_loop(x, dim):
    rows = x.movedim(dim, -1)
    flat = rows.reshape(-1, rows.shape[-1])
    done = []
    for row in flat:
        if bool((row == -INF).all()):
            done.append(torch.zeros_like(row))
        else:
            powers = (row - row.max()).exp()
            done.append(powers / powers.sum())
    return torch.stack(done).reshape(rows.shape).movedim(-1, dim)


softmax = softmax_loop
