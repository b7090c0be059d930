"""Right answers to stacking.get_clones in other styles than the model solution's."""

import copy
import io

import torch
from torch import nn


def get_clones_loop(module, count):
    clones = nn.ModuleList()
    for _ in range(count):
        clones.append(copy.deepcopy(module))
    return clones


def get_clones_generator(module: nn.Module, count: int) -> nn.ModuleList:
    return nn.ModuleList(copy.deepcopy(module) for _ in range(count))


def get_clones_of_a_list(module, count):
    return nn.ModuleList(map(copy.deepcopy, [module] * count))


def get_clones_of_clones(module, count):
    clones = []
    last = module
    while len(clones) < count:
        last = copy.deepcopy(last)
        clones.append(last)
    return nn.ModuleList(clones)


def get_clones_saved(module, count):
    """Written into memory once, and read for each clone."""
    file = io.BytesIO()
    torch.save(module, file)
    clones = nn.ModuleList()
    for place in range(count):
        file.seek(0)
        clones.insert(place, torch.load(file, weights_only=False))
    return clones


RIGHT = (
    get_clones_loop,
    get_clones_generator,
    get_clones_of_a_list,
    get_clones_of_clones,
    get_clones_saved,
)
