# Exercise: attention.multi_head
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("attention.multi_head") runs it wherever the course needs it.
# ----------------------------------------
import math
import torch


INF = float("inf")


def multi_head_vmap(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    batch, length, width = x.shape
    if mask is None:
        mask = torch.zeros((), dtype=torch.bool, device=x.device)
    mask = mask.expand(batch, nhead, length, length)
    w = w_in.view(3, nhead, width // nhead, width).transpose(0, 1)
    b = b_in.view(3, nhead, width // nhead).transpose(0, 1)

    def head(w, b, x, blocked):
        query, key, value = (x @ w[i].T + b[i] for i in range(3))
        raw = (query @ key.T / math.sqrt(width // nhead)).masked_fill(blocked, -INF)
        return torch.softmax(raw, -1).nan_to_num(0.0) @ value

    heads = torch.vmap(head, in_dims=(0, 0, None, 0), out_dims=1)
    joined = torch.vmap(heads, in_dims=(None, None, 0, 0))(w, b, x, mask).flatten(2)
    return joined @ w_out.T + b_out


multi_head = multi_head_vmap
