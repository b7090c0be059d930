"""Right answers to generation.shift_right in other styles than the model solution's."""

import torch
import torch.nn.functional as F


def shift_right_roll(targets, bos_id):
    shifted = targets.roll(1, dims=1)
    shifted[:, 0] = bos_id
    return shifted


def shift_right_pad(targets, bos_id):
    return F.pad(targets, (1, 0), value=bos_id)[:, :-1]


def shift_right_fill(targets, bos_id):
    inputs = torch.empty_like(targets)
    inputs[:, 0] = bos_id
    inputs[:, 1:] = targets[:, :-1]
    return inputs


def shift_right_new_tensor(targets, bos_id):
    begin = targets.new_full((targets.size(0), 1), bos_id)
    return torch.hstack((begin, targets))[..., :-1]


def shift_right_lists(targets, bos_id):
    rows = [[bos_id, *row[:-1]] for row in targets.tolist()]
    return torch.tensor(rows, dtype=targets.dtype, device=targets.device)


RIGHT = (
    shift_right_roll,
    shift_right_pad,
    shift_right_fill,
    shift_right_new_tensor,
    shift_right_lists,
)
