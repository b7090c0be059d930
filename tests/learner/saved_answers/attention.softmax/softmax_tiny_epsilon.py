# Exercise: attention.softmax
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.softmax") runs it wherever the course needs it.
# ----------------------------------------
import torch


def softmax_tiny_epsilon(x, dim):
    top = torch.max(x, dim, keepdim=True)[0].detach().clamp(min=torch.finfo(x.dtype).min)
    powers = torch.exp(x - top)
    return powers / powers.sum(dim=dim, keepdim=True).clamp(min=torch.finfo(x.dtype).tiny)


softmax = softmax_tiny_epsilon
