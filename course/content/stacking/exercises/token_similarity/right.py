"""Right answers to stacking.token_similarity in other styles than the model solution's."""

import torch
import torch.nn.functional as F
from torch import Tensor


def token_similarity_loop(hidden, padding_mask=None):
    found = []
    for b in range(hidden.shape[0]):
        tokens = hidden[b] if padding_mask is None else hidden[b][~padding_mask[b]]
        pairs = [
            F.cosine_similarity(tokens[i], tokens[j], dim=0)
            for i in range(len(tokens))
            for j in range(i + 1, len(tokens))
        ]
        found.append(torch.stack(pairs).mean() if pairs else hidden.new_zeros(()))
    return torch.stack(found)


def token_similarity_sums(hidden: Tensor, padding_mask: Tensor | None = None) -> Tensor:
    """The square of a sum holds every pair twice, and each vector with itself."""
    unit = F.normalize(hidden, dim=-1)
    if padding_mask is None:
        count = torch.full(hidden.shape[:1], hidden.shape[1], device=hidden.device)
    else:
        unit = unit.masked_fill(padding_mask.unsqueeze(-1), 0.0)
        count = (~padding_mask).sum(1)
    pairs = unit.sum(1).square().sum(-1) - unit.square().sum((1, 2))
    return pairs / (count * (count - 1)).clamp(min=1)


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


def token_similarity_upper(hidden, padding_mask=None):
    S = hidden.shape[1]
    cosines = F.cosine_similarity(hidden.unsqueeze(1), hidden.unsqueeze(2), dim=-1)
    i, j = torch.triu_indices(S, S, offset=1, device=hidden.device)
    chosen = cosines[:, i, j]
    if padding_mask is None:
        return chosen.mean(-1) if S > 1 else hidden.new_zeros(len(hidden))
    counts = ~(padding_mask[:, i] | padding_mask[:, j])
    return (chosen * counts).sum(-1) / counts.sum(-1).clamp(min=1)


def token_similarity_diagonal(hidden, padding_mask=None):
    """All pairs, less what each token has with itself."""
    unit = F.normalize(hidden, dim=-1)
    count = torch.full(hidden.shape[:1], hidden.shape[1], device=hidden.device)
    if padding_mask is not None:
        unit, count = unit.masked_fill(padding_mask[..., None], 0.0), (~padding_mask).sum(1)
    cosines = torch.bmm(unit, unit.mT)
    own = cosines.diagonal(dim1=1, dim2=2).sum(-1)
    return (cosines.sum((1, 2)) - own) / (count * (count - 1)).clamp(min=1)


RIGHT = (
    token_similarity_loop,
    token_similarity_sums,
    token_similarity_einsum,
    token_similarity_upper,
    token_similarity_diagonal,
)
