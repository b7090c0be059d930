"""Right answers to efficient.unpad in other styles than the model solution's."""

import torch


def unpad_boolean(x, padding_mask):
    real = ~padding_mask
    return x[real], torch.nonzero(
        real.view(-1) if real.is_contiguous() else real.reshape(-1)
    ).flatten()


def unpad_where(x, padding_mask):
    (indices,) = torch.where(padding_mask.reshape(-1).logical_not())
    return x.reshape(-1, x.shape[-1]).index_select(0, indices), indices


def unpad_pairs(x, padding_mask):
    rows, places = (~padding_mask).nonzero(as_tuple=True)
    return x[rows, places], rows * x.shape[1] + places


def unpad_selected(x, padding_mask):
    batch, length, width = x.shape
    every = torch.arange(batch * length, device=x.device).view(batch, length)
    real = padding_mask == 0
    return torch.masked_select(x, real.unsqueeze(-1)).view(-1, width), every.masked_select(real)


def unpad_loop(x, padding_mask):
    tokens, indices = [x.new_empty(0, x.shape[-1])], []
    for b, (row, padding) in enumerate(zip(x, padding_mask.tolist(), strict=True)):
        for s, is_padding in enumerate(padding):
            if not is_padding:
                tokens.append(row[s : s + 1])
                indices.append(b * x.shape[1] + s)
    return torch.cat(tokens), torch.tensor(indices, dtype=torch.int64, device=x.device)


def unpad_sorted(x, padding_mask):
    """The real places come first in a stable order of False and True."""
    count = int((~padding_mask).sum())
    indices = padding_mask.flatten().to(torch.uint8).argsort(stable=True)[:count]
    return torch.gather(x.flatten(0, 1), 0, indices[:, None].expand(-1, x.shape[-1])), indices


RIGHT = (unpad_boolean, unpad_where, unpad_pairs, unpad_selected, unpad_loop, unpad_sorted)
