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


def multi_head_loop(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    width = x.shape[-1]
    head = width // nhead
    outputs = []
    for h in range(nhead):
        place = slice(h * head, (h + 1) * head)
        three = [
            x @ w_in[i * width : (i + 1) * width][place].T
            + b_in[i * width : (i + 1) * width][place]
            for i in range(3)
        ]
        own = None
        if mask is not None:
            full = mask.expand(x.shape[0], nhead, x.shape[1], x.shape[1])
            own = full[:, h]
        outputs.append(_attend(*three, own))
    return torch.cat(outputs, -1) @ w_out.T + b_out


multi_head = multi_head_loop
