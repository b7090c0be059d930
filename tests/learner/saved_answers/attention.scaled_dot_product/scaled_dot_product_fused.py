# Exercise: attention.scaled_dot_product
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.scaled_dot_product") runs it wherever the course needs it.
# ----------------------------------------
import torch
import torch.nn.functional as F


def scaled_dot_product_fused(query, key, value, mask=None):
    allowed = None if mask is None else ~mask
    while allowed is not None and allowed.dim() < query.dim():
        allowed = allowed.unsqueeze(0)
    output = F.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
    eye = torch.eye(key.shape[-2], dtype=value.dtype, device=value.device)
    eye = eye.expand(*key.shape[:-1], key.shape[-2])
    weights = F.scaled_dot_product_attention(query, key, eye, attn_mask=allowed)
    return output, weights


scaled_dot_product = scaled_dot_product_fused
