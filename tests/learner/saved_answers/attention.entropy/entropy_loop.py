# Exercise: attention.entropy
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("attention.entropy") runs it wherever the course needs it.
# ----------------------------------------
import torch


def entropy_loop(weights):
    total = 0
    for column in weights.unbind(-1):
        log = torch.log(torch.where(column == 0, torch.ones_like(column), column))
        total = total - column * log
    return total


entropy = entropy_loop
