# Exercise: stacking.token_similarity
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("stacking.token_similarity") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.linalg


def token_similarity_einsum(hidden, padding_mask=None):
    B, S, _ = hidden.shape
    real = hidden.new_ones(B, S) if padding_mask is None else (~padding_mask).to(hidden.dtype)
    norms = torch.linalg.vector_norm(hidden, dim=-1)
    norms = torch.where(norms > 0, norms, torch.ones_like(norms))
    unit = hidden / norms[..., None]
    cosines = torch.einsum("bid,bjd->bij", unit, unit)
    both = torch.einsum("bi,bj->bij", real, real)
    both = both - torch.diag_embed(both.diagonal(dim1=1, dim2=2))
    pairs = both.sum((1, 2))
    mean = (cosines * both).sum((1, 2)) / torch.clamp(pairs, min=1)
    return torch.where(pairs > 0, mean, torch.zeros_like(mean))


token_similarity = token_similarity_einsum
