# Exercise: embeddings.lookup
# Passed:   2026-11-29T07:00:04Z
# Course:   0.1.0
# Your own answer: use("embeddings.lookup") runs it wherever the course needs it.
# ----------------------------------------
import torch.nn.functional as F


def lookup_one_hot(weight, ids):
    return F.one_hot(ids, num_classes=weight.size(0)).to(weight.dtype) @ weight


lookup = lookup_one_hot
