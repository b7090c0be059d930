# Exercise: attention.scaled_dot_product
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.scaled_dot_product") runs it wherever the course needs it.
# ----------------------------------------
import math
import torch


INF = float("inf")


def scaled_dot_product_logsumexp(query, key, value, mask=None):
    raw = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    raw = raw if mask is None else raw.masked_fill(mask, -INF)
    norm = raw.logsumexp(-1, keepdim=True)
    weights = torch.exp(raw - norm.masked_fill(norm == -INF, 0))
    return weights @ value, weights


scaled_dot_product = scaled_dot_product_logsumexp
