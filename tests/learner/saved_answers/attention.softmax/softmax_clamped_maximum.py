# Exercise: attention.softmax
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.softmax") runs it wherever the course needs it.
# ----------------------------------------
import torch


def softmax_clamped_maximum(x, dim):
    m = x.max(dim=dim, keepdim=True).values.clamp(min=torch.finfo(x.dtype).min)
    e = (x - m).exp()
    return e / e.sum(dim=dim, keepdim=True).clamp(min=torch.finfo(x.dtype).tiny)


softmax = softmax_clamped_maximum
