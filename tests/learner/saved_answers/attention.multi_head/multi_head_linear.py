# Exercise: attention.multi_head
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("attention.multi_head") runs it wherever the course needs it.
# ----------------------------------------
import math
import torch
import torch.nn.functional as F


INF = float("inf")


def _attend(query, key, value, mask):
    raw = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    if mask is not None:
        raw = raw.masked_fill(mask, -INF)
    return torch.softmax(raw, -1).nan_to_num(0.0) @ value


def multi_head_linear(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    batch, length, width = x.shape
    parts = F.linear(x, w_in, b_in).view(batch, length, 3, nhead, width // nhead)
    query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
    joined = _attend(query, key, value, mask).transpose(1, 2).reshape(batch, length, width)
    return F.linear(joined, w_out, b_out)


multi_head = multi_head_linear
