# Exercise: attention.multi_head
# Passed:   2026-11-29T07:00:07Z
# Course:   0.1.0
# Your own answer: use("attention.multi_head") runs it wherever the course needs it.
# ----------------------------------------
import torch.nn.functional as F


def multi_head_torch(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    batch, length, _ = x.shape
    if mask is not None:
        mask = mask.expand(batch, nhead, length, length)
        idle = mask.all(-1, keepdim=True)
    parts = F.linear(x, w_in, b_in).chunk(3, -1)
    query, key, value = (p.reshape(batch, length, nhead, -1).transpose(1, 2) for p in parts)
    output = F.scaled_dot_product_attention(
        query, key, value, attn_mask=None if mask is None else ~mask
    )
    if mask is not None:
        output = output.masked_fill(idle, 0.0)
    return F.linear(output.transpose(1, 2).flatten(2), w_out, b_out)


multi_head = multi_head_torch
