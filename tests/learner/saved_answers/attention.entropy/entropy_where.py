# Exercise: attention.entropy
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("attention.entropy") runs it wherever the course needs it.
# ----------------------------------------
import torch


def entropy_where(weights):
    terms = torch.where(weights > 0, weights * torch.log(weights), torch.zeros_like(weights))
    return terms.sum(-1).neg()


entropy = entropy_where
