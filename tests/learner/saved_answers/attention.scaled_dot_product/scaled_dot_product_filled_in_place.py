# Exercise: attention.scaled_dot_product
# Passed:   2026-11-29T07:00:06Z
# Course:   0.1.0
# Your own answer: use("attention.scaled_dot_product") runs it wherever the course needs it.
# ----------------------------------------
import math
import torch
import torch.nn.functional as F


def scaled_dot_product_filled_in_place(query, key, value, mask=None):
    attn = query @ key.mT / math.sqrt(query.size(-1))
    if mask is not None:
        attn.masked_fill_(mask, float("-inf"))
    attn = torch.nan_to_num(F.softmax(attn, dim=-1))
    return attn @ value, attn


scaled_dot_product = scaled_dot_product_filled_in_place
