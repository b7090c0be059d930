# Exercise: stacking.token_similarity
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("stacking.token_similarity") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.nn.functional as F


def token_similarity_upper(hidden, padding_mask=None):
    S = hidden.shape[1]
    cosines = F.cosine_similarity(hidden.unsqueeze(1), hidden.unsqueeze(2), dim=-1)
    i, j = torch.triu_indices(S, S, offset=1, device=hidden.device)
    chosen = cosines[:, i, j]
    if padding_mask is None:
        return chosen.mean(-1) if S > 1 else hidden.new_zeros(len(hidden))
    counts = ~(padding_mask[:, i] | padding_mask[:, j])
    return (chosen * counts).sum(-1) / counts.sum(-1).clamp(min=1)


token_similarity = token_similarity_upper
