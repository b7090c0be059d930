# Exercise: attention.scaled_dot_product
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.scaled_dot_product") runs it wherever the course needs it.
# ----------------------------------------
import torch


def scaled_dot_product_finite_then_zero(query, key, value, mask=None):
    raw = query @ key.mT / query.shape[-1] ** 0.5
    if mask is not None:
        raw = raw.masked_fill(mask, torch.finfo(raw.dtype).min)
    weights = raw.softmax(-1)
    if mask is not None:
        weights = weights.masked_fill(mask, 0.0)
    return weights @ value, weights


scaled_dot_product = scaled_dot_product_finite_then_zero
