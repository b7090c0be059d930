# Exercise: stacking.get_clones
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("stacking.get_clones") runs it wherever the course needs it.
# ----------------------------------------
import copy
import torch.nn as nn


def get_clones_loop(module, count):
    clones = nn.ModuleList()
    for _ in range(count):
        clones.append(copy.deepcopy(module))
    return clones


get_clones = get_clones_loop
