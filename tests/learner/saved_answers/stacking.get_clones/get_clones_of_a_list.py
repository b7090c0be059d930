# Exercise: stacking.get_clones
# Passed:   2026-11-29T07:00:09Z
# Course:   0.1.0
# Your own answer: use("stacking.get_clones") runs it wherever the course needs it.
# ----------------------------------------
import copy
import torch.nn as nn


def get_clones_of_a_list(module, count):
    return nn.ModuleList(map(copy.deepcopy, [module] * count))


get_clones = get_clones_of_a_list
