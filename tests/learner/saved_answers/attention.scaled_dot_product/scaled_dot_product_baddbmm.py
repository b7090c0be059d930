# Exercise: attention.scaled_dot_product
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.scaled_dot_product") runs it wherever the course needs it.
# ----------------------------------------
import torch


INF = float("inf")


def scaled_dot_product_baddbmm(query, key, value, mask=None):
    shape = (*query.shape[:-1], key.shape[-2])
    query_3, key_3, value_3 = (x.reshape(-1, *x.shape[-2:]) for x in (query, key, value))
    bias = torch.zeros(shape, dtype=query.dtype, device=query.device)
    if mask is not None:
        bias = bias.masked_fill(mask, -INF)
    bias = bias.reshape(-1, *shape[-2:])
    raw = torch.baddbmm(bias, query_3, key_3.mT, alpha=query.shape[-1] ** -0.5)
    weights = torch.nan_to_num(torch.softmax(raw, -1))
    output = torch.bmm(weights, value_3).reshape(*shape[:-1], value.shape[-1])
    return output, weights.reshape(shape)


scaled_dot_product = scaled_dot_product_baddbmm
