"""Right answers to attention.padding_mask in other styles than the model solution's."""

import torch


def padding_mask_compare(lengths, max_length):
    return torch.arange(max_length, device=lengths.device)[None] >= lengths[:, None]


def padding_mask_loop(lengths, max_length):
    mask = torch.ones(len(lengths), max_length, dtype=torch.bool, device=lengths.device)
    for row, length in enumerate(lengths.tolist()):
        mask[row, :length] = False
    return mask


def padding_mask_lists(lengths, max_length):
    rows = [[place >= int(n) for place in range(max_length)] for n in lengths]
    return torch.tensor(rows, dtype=torch.bool).to(lengths.device)


def padding_mask_cumulative(lengths, max_length):
    ones = lengths.new_ones(lengths.shape[0], max_length)
    return ones.cumsum(dim=1) > lengths.view(-1, 1)


RIGHT = (
    padding_mask_compare,
    padding_mask_loop,
    padding_mask_lists,
    padding_mask_cumulative,
)
