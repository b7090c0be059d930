# Exercise: stacking.token_similarity
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("stacking.token_similarity") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.nn.functional as F


def token_similarity_diagonal(hidden, padding_mask=None):
    """All pairs, less what each token has with itself."""
    unit = F.normalize(hidden, dim=-1)
    count = torch.full(hidden.shape[:1], hidden.shape[1], device=hidden.device)
    if padding_mask is not None:
        unit, count = unit.masked_fill(padding_mask[..., None], 0.0), (~padding_mask).sum(1)
    cosines = torch.bmm(unit, unit.mT)
    own = cosines.diagonal(dim1=1, dim2=2).sum(-1)
    return (cosines.sum((1, 2)) - own) / (count * (count - 1)).clamp(min=1)


token_similarity = token_similarity_diagonal
