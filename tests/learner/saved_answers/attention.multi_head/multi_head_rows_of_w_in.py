# Exercise: attention.multi_head
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("attention.multi_head") runs it wherever the course needs it.
# ----------------------------------------
import math
import torch
import torch.nn.functional as F


INF = float("inf")


def scaled_dot_product_torch(query, key, value, mask=None):
    raw = torch.matmul(query, key.transpose(-2, -1)) / math.sqrt(key.shape[-1])
    if mask is not None:
        raw = torch.where(mask, -INF, raw)
    weights = F.softmax(raw, dim=-1)
    weights = torch.nan_to_num(weights, 0.0)
    return torch.matmul(weights, value), weights


def merge_heads_view(x):
    b, h, s, d = x.shape
    return x.permute(0, 2, 1, 3).contiguous().view(b, s, h * d)


def split_heads_view(x, nhead):
    if x.size(-1) % nhead:
        raise ValueError("no multiple")
    return x.view(x.size(0), x.size(1), nhead, -1).permute(0, 2, 1, 3)


def multi_head_rows_of_w_in(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    d = x.shape[-1]
    q, k, v = (F.linear(x, w_in[i * d : (i + 1) * d], b_in[i * d : (i + 1) * d]) for i in range(3))
    out, _ = scaled_dot_product_torch(*(split_heads_view(t, nhead) for t in (q, k, v)), mask=mask)
    return F.linear(merge_heads_view(out), w_out, b_out)


multi_head = multi_head_rows_of_w_in
