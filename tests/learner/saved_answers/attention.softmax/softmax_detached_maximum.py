# Exercise: attention.softmax
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.softmax") runs it wherever the course needs it.
# ----------------------------------------
import torch


def softmax_detached_maximum(x, dim):
    with torch.no_grad():
        top = x.max(dim=dim, keepdim=True).values
        top = torch.where(torch.isinf(top), torch.zeros_like(top), top)
    powers = (x - top).exp()
    total = powers.sum(dim, keepdim=True)
    return torch.where(total > 0, powers / total.clamp(min=1e-30), torch.zeros_like(powers))


softmax = softmax_detached_maximum
