"""Right answers to attention.split_heads in other styles than the model solution's."""

import torch


def split_heads_view(x, nhead):
    if x.size(-1) % nhead:
        raise ValueError("no multiple")
    return x.view(x.size(0), x.size(1), nhead, -1).permute(0, 2, 1, 3)


def split_heads_chunk(x, nhead):
    if x.shape[2] % nhead != 0:
        raise ValueError("the width must be divisible by the number of heads")
    return torch.stack(x.chunk(nhead, dim=-1), dim=1)


def split_heads_unflatten(x, nhead):
    width, rest = divmod(x.shape[-1], nhead)
    if rest:
        raise ValueError(f"{rest} columns left over")
    return x.unflatten(-1, (nhead, width)).transpose(-2, -3).contiguous()


def split_heads_loop(x, nhead):
    batch, length, width = x.shape
    if width // nhead * nhead != width:
        raise ValueError("nhead")
    head = width // nhead
    out = x.new_zeros(batch, nhead, length, head)
    for h in range(nhead):
        out[:, h] = x[:, :, h * head : (h + 1) * head]
    return out


def split_heads_movedim(x, nhead):
    b, s, d = x.shape
    if d % nhead:
        raise ValueError(f"cannot split {d} into {nhead} heads")
    return x.reshape(b, s, nhead, d // nhead).movedim(2, 1)


def split_heads_through_columns(x, nhead):
    if x.shape[-1] % nhead:
        raise ValueError("not divisible by nhead")
    B, S, D = x.shape
    return x.transpose(1, 2).reshape(B, nhead, D // nhead, S).transpose(2, 3)


RIGHT = (
    split_heads_view,
    split_heads_chunk,
    split_heads_unflatten,
    split_heads_loop,
    split_heads_movedim,
    split_heads_through_columns,
)
