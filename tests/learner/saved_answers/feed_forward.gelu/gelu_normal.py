# Exercise: feed_forward.gelu
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("feed_forward.gelu") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.distributions


def gelu_normal(x):
    zero, one = torch.zeros((), dtype=x.dtype, device=x.device), torch.ones_like(x)
    return x * torch.distributions.Normal(zero, one, validate_args=False).cdf(x)


gelu = gelu_normal
