# Exercise: stacking.get_clones
# Passed:   2026-11-29T07:00:09Z
# Course:   0.1.0
# Your own answer: use("stacking.get_clones") runs it wherever the course needs it.
# ----------------------------------------
import copy
import torch.nn as nn


def get_clones_of_clones(module, count):
    clones = []
    last = module
    while len(clones) < count:
        last = copy.deepcopy(last)
        clones.append(last)
    return nn.ModuleList(clones)


get_clones = get_clones_of_clones
