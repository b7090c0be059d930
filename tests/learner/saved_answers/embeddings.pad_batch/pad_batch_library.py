# Exercise: embeddings.pad_batch
# Passed:   2026-11-29T07:00:04Z
# Course:   0.1.0
# Your own answer: use("embeddings.pad_batch") runs it wherever the course needs it.
# ----------------------------------------
from torch.nn.utils.rnn import pad_sequence
import torch


def pad_batch_library(sequences, pad_id):
    tensors = [torch.tensor(s, dtype=torch.int64) for s in sequences]
    ids = pad_sequence(tensors, batch_first=True, padding_value=pad_id)
    lengths = torch.tensor([len(s) for s in sequences])
    return ids, torch.arange(ids.shape[1]) >= lengths[:, None]


pad_batch = pad_batch_library
