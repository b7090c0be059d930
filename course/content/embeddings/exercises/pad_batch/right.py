"""Right answers to embeddings.pad_batch in other styles than the model solution's."""

import itertools

import numpy as np
import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence


def pad_batch_lists(sequences, pad_id):
    longest = max(map(len, sequences))
    rows = [list(s) + [pad_id] * (longest - len(s)) for s in sequences]
    masks = [[False] * len(s) + [True] * (longest - len(s)) for s in sequences]
    shape = (len(sequences), longest)
    return (
        torch.tensor(rows, dtype=torch.long).reshape(shape),
        torch.tensor(masks, dtype=torch.bool).reshape(shape),
    )


def pad_batch_library(sequences, pad_id):
    tensors = [torch.tensor(s, dtype=torch.int64) for s in sequences]
    ids = pad_sequence(tensors, batch_first=True, padding_value=pad_id)
    lengths = torch.tensor([len(s) for s in sequences])
    return ids, torch.arange(ids.shape[1]) >= lengths[:, None]


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


def pad_batch_stack(sequences, pad_id):
    longest = max(len(s) for s in sequences)
    ids, masks = [], []
    for s in sequences:
        row = torch.as_tensor(s, dtype=torch.long)
        missing = longest - len(s)
        ids.append(F.pad(row, (0, missing), value=pad_id))
        masks.append(torch.cat([torch.zeros(len(s)), torch.ones(missing)]).bool())
    return torch.stack(ids), torch.stack(masks)


def pad_batch_numpy(sequences, pad_id):
    longest = max(len(sequence) for sequence in sequences)
    ids = np.full((len(sequences), longest), pad_id, dtype=np.int64)
    mask = np.ones((len(sequences), longest), dtype=bool)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = False
    return torch.from_numpy(ids), torch.from_numpy(mask)


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


RIGHT = (
    pad_batch_lists,
    pad_batch_library,
    pad_batch_zip,
    pad_batch_stack,
    pad_batch_numpy,
    pad_batch_functional,
)
