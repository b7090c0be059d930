# Exercise: attention.multi_head
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("attention.multi_head") runs it wherever the course needs it.
# ----------------------------------------
import math
import torch


INF = float("inf")


def _attend(query, key, value, mask):
    raw = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    if mask is not None:
        raw = raw.masked_fill(mask, -INF)
    return torch.softmax(raw, -1).nan_to_num(0.0) @ value


def multi_head_einsum(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    width = x.shape[-1]
    w = w_in.reshape(3, nhead, width // nhead, width)
    b = b_in.reshape(3, 1, nhead, 1, width // nhead)
    query, key, value = torch.einsum("bsd,nhed->nbhse", x, w) + b
    out = torch.einsum(
        "bhse,whe->bsw", _attend(query, key, value, mask), w_out.reshape(width, nhead, -1)
    )
    return out + b_out


multi_head = multi_head_einsum
