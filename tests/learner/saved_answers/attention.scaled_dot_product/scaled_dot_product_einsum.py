# Exercise: attention.scaled_dot_product
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.scaled_dot_product") runs it wherever the course needs it.
# ----------------------------------------
import torch


INF = float("inf")


def scaled_dot_product_einsum(query, key, value, mask=None):
    raw = torch.einsum("...ld,...sd->...ls", query, key) * key.size(-1) ** -0.5
    if mask is None:
        mask = torch.zeros_like(raw, dtype=torch.bool)
    mask = mask.expand_as(raw)
    weights = torch.softmax(raw.masked_fill(mask, -INF), -1)
    weights = weights.masked_fill(mask.all(-1, keepdim=True), 0)
    return torch.einsum("...ls,...sd->...ld", weights, value), weights


scaled_dot_product = scaled_dot_product_einsum
