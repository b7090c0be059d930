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


def multi_head_one_after_another(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    B, S, D = x.shape
    dh = D // nhead
    full = torch.zeros(S, S, dtype=torch.bool, device=x.device) if mask is None else mask
    full = full.expand(B, nhead, S, S)
    qkv = x @ w_in.t() + b_in
    out = []
    for h in range(nhead):
        q = qkv[..., h * dh : (h + 1) * dh]
        k = qkv[..., D + h * dh : D + (h + 1) * dh]
        v = qkv[..., 2 * D + h * dh : 2 * D + (h + 1) * dh]
        out.append(scaled_dot_product_torch(q, k, v, full[:, h])[0])
    return torch.cat(out, -1) @ w_out.t() + b_out


multi_head = multi_head_one_after_another
