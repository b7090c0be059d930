# Exercise: stacking.get_clones
# Passed:   2026-11-29T07:00:09Z
# Course:   0.1.0
# Your own answer: use("stacking.get_clones") runs it wherever the course needs it.
# ----------------------------------------
import io
import torch
import torch.nn as nn


def get_clones_saved(module, count):
    """Written into memory once, and read for each clone."""
    file = io.BytesIO()
    torch.save(module, file)
    clones = nn.ModuleList()
    for place in range(count):
        file.seek(0)
        clones.insert(place, torch.load(file, weights_only=False))
    return clones


get_clones = get_clones_saved
