# Exercise: embeddings.pad_batch
# Passed:   2026-11-29T07:00:04Z
# Course:   0.1.0
# Your own answer: use("embeddings.pad_batch") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.nn.functional as F


def pad_batch_functional(sequences, pad_id):
    width = max(map(len, sequences))
    ids = torch.stack(
        [
            F.pad(torch.tensor(s, dtype=torch.int64), (0, width - len(s)), value=pad_id)
            for s in sequences
        ]
    )
    mask = torch.stack(
        [
            F.pad(torch.zeros(len(s), dtype=torch.bool), (0, width - len(s)), value=True)
            for s in sequences
        ]
    )
    return ids, mask


pad_batch = pad_batch_functional
