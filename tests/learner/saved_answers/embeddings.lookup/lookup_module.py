# Exercise: embeddings.lookup
# Passed:   2026-11-29T07:00:04Z
# Course:   0.1.0
# Your own answer: use("embeddings.lookup") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.func
import torch.nn


def lookup_module(weight, ids):
    table = torch.nn.Embedding(*weight.shape, _weight=weight.detach())
    return torch.func.functional_call(table, {"weight": weight}, (ids,))


lookup = lookup_module
