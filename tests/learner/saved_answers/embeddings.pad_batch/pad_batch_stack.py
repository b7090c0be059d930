# Exercise: embeddings.pad_batch
# Passed:   2026-11-29T07:00:04Z
# Course:   0.1.0
# Your own answer: use("embeddings.pad_batch") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.nn.functional as F


def pad_batch_stack(sequences, pad_id):
    longest = max(len(s) for s in sequences)
    ids, masks = [], []
    for s in sequences:
        row = torch.as_tensor(s, dtype=torch.long)
        missing = longest - len(s)
        ids.append(F.pad(row, (0, missing), value=pad_id))
        masks.append(torch.cat([torch.zeros(len(s)), torch.ones(missing)]).bool())
    return torch.stack(ids), torch.stack(masks)


pad_batch = pad_batch_stack
