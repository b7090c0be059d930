# Exercise: embeddings.pad_batch
# Passed:   2026-11-29T07:00:04Z
# Course:   0.1.0
# Your own answer: use("embeddings.pad_batch") runs it wherever the course needs it.
# ----------------------------------------
import numpy as np
import torch


def pad_batch_numpy(sequences, pad_id):
    longest = max(len(sequence) for sequence in sequences)
    ids = np.full((len(sequences), longest), pad_id, dtype=np.int64)
    mask = np.ones((len(sequences), longest), dtype=bool)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = False
    return torch.from_numpy(ids), torch.from_numpy(mask)


pad_batch = pad_batch_numpy
