# Exercise: stacking.get_clones
# Passed:   2026-11-29T06:55:26Z
# Course:   0.1.0
# Your own answer: use("stacking.get_clones") runs it wherever the course needs it.
# ----------------------------------------
import copy
import torch.nn as nn


def get_clones(module: nn.Module, count: int) -> nn.ModuleList:
    """`count` copies of a module that share nothing with it or with one another."""
    return nn.ModuleList([copy.deepcopy(module) for _ in range(count)])
