# Exercise: embeddings.pad_batch
# Passed:   2026-11-29T07:00:04Z
# Course:   0.1.0
# Your own answer: use("embeddings.pad_batch") runs it wherever the course needs it.
# ----------------------------------------
import torch


def pad_batch_lists(sequences, pad_id):
    longest = max(map(len, sequences))
    rows = [list(s) + [pad_id] * (longest - len(s)) for s in sequences]
    masks = [[False] * len(s) + [True] * (longest - len(s)) for s in sequences]
    shape = (len(sequences), longest)
    return (
        torch.tensor(rows, dtype=torch.long).reshape(shape),
        torch.tensor(masks, dtype=torch.bool).reshape(shape),
    )


pad_batch = pad_batch_lists
