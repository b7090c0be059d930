"""Right answers to attention.scaled_dot_product in other styles than the model solution's."""

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


def scaled_dot_product_einsum(query, key, value, mask=None):
    raw = torch.einsum("...ld,...sd->...ls", query, key) * key.size(-1) ** -0.5
    if mask is None:
        mask = torch.zeros_like(raw, dtype=torch.bool)
    mask = mask.expand_as(raw)
    weights = torch.softmax(raw.masked_fill(mask, -INF), -1)
    weights = weights.masked_fill(mask.all(-1, keepdim=True), 0)
    return torch.einsum("...ls,...sd->...ld", weights, value), weights


def scaled_dot_product_finite_then_zero(query, key, value, mask=None):
    raw = query @ key.mT / query.shape[-1] ** 0.5
    if mask is not None:
        raw = raw.masked_fill(mask, torch.finfo(raw.dtype).min)
    weights = raw.softmax(-1)
    if mask is not None:
        weights = weights.masked_fill(mask, 0.0)
    return weights @ value, weights


def scaled_dot_product_additive(query, key, value, mask=None):
    raw = query @ key.mT / query.shape[-1] ** 0.5
    if mask is not None:
        raw = raw + torch.zeros_like(mask, dtype=raw.dtype).masked_fill(mask, -INF)
    top = raw.amax(-1, keepdim=True).clamp(min=torch.finfo(raw.dtype).min)
    powers = (raw - top).exp()
    total = powers.sum(-1, keepdim=True)
    weights = powers / torch.where(total == 0, torch.ones_like(total), total)
    return weights.matmul(value), weights


def scaled_dot_product_fused(query, key, value, mask=None):
    allowed = None if mask is None else ~mask
    while allowed is not None and allowed.dim() < query.dim():
        allowed = allowed.unsqueeze(0)
    output = F.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
    eye = torch.eye(key.shape[-2], dtype=value.dtype, device=value.device)
    eye = eye.expand(*key.shape[:-1], key.shape[-2])
    weights = F.scaled_dot_product_attention(query, key, eye, attn_mask=allowed)
    return output, weights


def scaled_dot_product_number_by_number(query, key, value, mask=None):
    length, source = query.shape[-2], key.shape[-2]
    if mask is None:
        mask = torch.zeros((), dtype=torch.bool, device=query.device)
    mask = mask.expand(*query.shape[:-1], source)
    rows = []
    for i in range(length):
        dots = [(query[..., i, :] * key[..., j, :]).sum(-1) for j in range(source)]
        row = torch.stack(dots, -1) / query.shape[-1] ** 0.5
        row = torch.where(mask[..., i, :], torch.full_like(row, -INF), row)
        top = row.max(-1, keepdim=True).values
        powers = torch.exp(row - torch.where(top == -INF, torch.zeros_like(top), top))
        total = powers.sum(-1, keepdim=True)
        rows.append(powers / torch.where(total > 0, total, torch.ones_like(total)))
    weights = torch.stack(rows, -2)
    return (weights.unsqueeze(-1) * value.unsqueeze(-3)).sum(-2), weights


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


def scaled_dot_product_logsumexp(query, key, value, mask=None):
    raw = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    raw = raw if mask is None else raw.masked_fill(mask, -INF)
    norm = raw.logsumexp(-1, keepdim=True)
    weights = torch.exp(raw - norm.masked_fill(norm == -INF, 0))
    return weights @ value, weights


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


def scaled_dot_product_filled_in_place(query, key, value, mask=None):
    attn = query @ key.mT / math.sqrt(query.size(-1))
    if mask is not None:
        attn.masked_fill_(mask, float("-inf"))
    attn = torch.nan_to_num(F.softmax(attn, dim=-1))
    return attn @ value, attn


RIGHT = (
    scaled_dot_product_torch,
    scaled_dot_product_einsum,
    scaled_dot_product_finite_then_zero,
    scaled_dot_product_additive,
    scaled_dot_product_fused,
    scaled_dot_product_number_by_number,
    scaled_dot_product_baddbmm,
    scaled_dot_product_logsumexp,
    scaled_dot_product_vmap,
    scaled_dot_product_filled_in_place,
)
