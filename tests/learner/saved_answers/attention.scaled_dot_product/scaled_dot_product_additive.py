# Exercise: attention.scaled_dot_product
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.scaled_dot_product") runs it wherever the course needs it.
# ----------------------------------------
import torch


INF = float("inf")


def scaled_dot_product_additive(query, key, value, mask=None):
    raw = query @ key.mT / query.shape[-1] ** 0.5
    if mask is not None:
        raw = raw + torch.zeros_like(mask, dtype=raw.dtype).masked_fill(mask, -INF)
    top = raw.amax(-1, keepdim=True).clamp(min=torch.finfo(raw.dtype).min)
    powers = (raw - top).exp()
    total = powers.sum(-1, keepdim=True)
    weights = powers / torch.where(total == 0, torch.ones_like(total), total)
    return weights.matmul(value), weights


scaled_dot_product = scaled_dot_product_additive
