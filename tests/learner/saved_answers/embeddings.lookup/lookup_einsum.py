# Exercise: embeddings.lookup
# Passed:   2026-11-29T07:00:04Z
# Course:   0.1.0
# Your own answer: use("embeddings.lookup") runs it wherever the course needs it.
# ----------------------------------------
import torch


def lookup_einsum(weight, ids):
    places = torch.arange(weight.shape[0], device=ids.device)
    return torch.einsum("bsv,vd->bsd", (ids[..., None] == places).to(weight.dtype), weight)


lookup = lookup_einsum
