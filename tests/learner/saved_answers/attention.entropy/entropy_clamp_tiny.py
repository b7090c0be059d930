# Exercise: attention.entropy
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("attention.entropy") runs it wherever the course needs it.
# ----------------------------------------
import torch


def entropy_clamp_tiny(weights):
    return -(weights * weights.clamp_min(torch.finfo(weights.dtype).tiny).log()).sum(dim=-1)


entropy = entropy_clamp_tiny
