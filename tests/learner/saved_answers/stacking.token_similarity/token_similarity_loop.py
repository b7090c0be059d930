# Exercise: stacking.token_similarity
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("stacking.token_similarity") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.nn.functional as F


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


token_similarity = token_similarity_loop
