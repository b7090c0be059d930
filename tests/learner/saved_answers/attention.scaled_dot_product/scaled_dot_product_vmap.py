# Exercise: attention.scaled_dot_product
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.scaled_dot_product") runs it wherever the course needs it.
# ----------------------------------------
import math
import torch


INF = float("inf")


def scaled_dot_product_vmap(query, key, value, mask=None):
    if mask is None:
        mask = torch.zeros((), dtype=torch.bool, device=query.device)
    mask = mask.expand(*query.shape[:-1], key.shape[-2])

    def one(q, k, v, m):  # a single query
        raw = (k @ q / math.sqrt(q.shape[0])).masked_fill(m, -INF)
        w = torch.softmax(raw, 0).nan_to_num(0.0)
        return w @ v, w

    each = torch.vmap(one, in_dims=(0, None, None, 0))
    for _ in range(query.dim() - 2):
        each = torch.vmap(each)
    return each(query, key, value, mask)


scaled_dot_product = scaled_dot_product_vmap
