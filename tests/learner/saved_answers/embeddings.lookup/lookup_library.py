# Exercise: embeddings.lookup
# Passed:   2026-11-29T07:00:04Z
# Course:   0.1.0
# Your own answer: use("embeddings.lookup") runs it wherever the course needs it.
# ----------------------------------------
import torch.nn.functional as F


def lookup_library(weight, ids):
    return F.embedding(ids, weight)


lookup = lookup_library
