# Exercise: embeddings.pad_batch
# Passed:   2026-11-29T07:00:04Z
# Course:   0.1.0
# Your own answer: use("embeddings.pad_batch") runs it wherever the course needs it.
# ----------------------------------------
import itertools
import torch


def pad_batch_zip(sequences, pad_id):
    nothing = object()
    columns = list(itertools.zip_longest(*sequences, fillvalue=nothing))
    if not columns:
        return torch.empty(len(sequences), 0, dtype=torch.long), torch.empty(
            len(sequences), 0, dtype=torch.bool
        )
    mask = torch.tensor([[x is nothing for x in column] for column in columns]).T
    ids = torch.tensor([[pad_id if x is nothing else x for x in column] for column in columns]).T
    return ids, mask


pad_batch = pad_batch_zip
