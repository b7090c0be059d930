# Exercise: attention.scaled_dot_product
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.scaled_dot_product") runs it wherever the course needs it.
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


scaled_dot_product = scaled_dot_product_torch
