"""Right answers to generation.cross_attention in other styles than the model solution's."""

import math

import torch
import torch.nn.functional as F

INF = float("inf")


def _attend(query, key, value, mask):
    raw = query @ key.mT / math.sqrt(query.shape[-1])
    if mask is not None:
        raw = raw.masked_fill(mask[:, None, None], -INF)
    return torch.softmax(raw, -1).nan_to_num(0.0) @ value


def cross_attention_slices(
    target, memory, w_in, b_in, w_out, b_out, nhead, memory_padding_mask=None
):
    batch, length, d = target.shape
    source = memory.shape[1]
    query = F.linear(target, w_in[:d], b_in[:d]).view(batch, length, nhead, -1).transpose(1, 2)
    both = F.linear(memory, w_in[d:], b_in[d:]).view(batch, source, 2, nhead, d // nhead)
    key, value = both.permute(2, 0, 3, 1, 4)
    output = _attend(query, key, value, memory_padding_mask)
    return F.linear(output.transpose(1, 2).reshape(batch, length, d), w_out, b_out)


def cross_attention_einsum(
    target, memory, w_in, b_in, w_out, b_out, nhead, memory_padding_mask=None
):
    d = target.shape[-1]
    w, b = w_in.reshape(3, nhead, d // nhead, d), b_in.reshape(3, nhead, 1, d // nhead)
    query = torch.einsum("btd,hed->bhte", target, w[0]) + b[0]
    key, value = (torch.einsum("bsd,hed->bhse", memory, w[i]) + b[i] for i in (1, 2))
    output = _attend(query, key, value, memory_padding_mask)
    return torch.einsum("bhte,whe->btw", output, w_out.reshape(d, nhead, -1)) + b_out


def cross_attention_head_by_head(
    target, memory, w_in, b_in, w_out, b_out, nhead, memory_padding_mask=None
):
    d = target.shape[-1]
    width = d // nhead
    result = b_out.expand_as(target)
    for h in range(nhead):
        rows = [slice(i * d + h * width, i * d + (h + 1) * width) for i in range(3)]
        query = target @ w_in[rows[0]].T + b_in[rows[0]]
        key, value = (memory @ w_in[row].T + b_in[row] for row in rows[1:])
        mask = memory_padding_mask
        output = _attend(query[:, None], key[:, None], value[:, None], mask)[:, 0]
        result = result + output @ w_out[:, h * width : (h + 1) * width].T
    return result


def cross_attention_torch(
    target, memory, w_in, b_in, w_out, b_out, nhead, memory_padding_mask=None
):
    (w_q, w_k, w_v), (b_q, b_k, b_v) = w_in.split(len(w_out)), b_in.split(len(w_out))

    def cut(x):
        return x.unflatten(-1, (nhead, -1)).transpose(1, 2)

    query, key = cut(F.linear(target, w_q, b_q)), cut(F.linear(memory, w_k, b_k))
    value = cut(F.linear(memory, w_v, b_v))
    allowed, empty = None, None
    if memory_padding_mask is not None:
        empty = memory_padding_mask.all(1)[:, None, None, None]
        allowed = ~memory_padding_mask[:, None, None, :] | empty
    output = F.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
    if empty is not None:
        output = output.masked_fill(empty, 0.0)
    return F.linear(output.transpose(1, 2).flatten(2), w_out, b_out)


def cross_attention_joined(
    target, memory, w_in, b_in, w_out, b_out, nhead, memory_padding_mask=None
):
    """Self-attention of both texts together, in which only the memory may be looked at."""
    both = torch.cat([target, memory], 1)
    query, key, value = (
        part.unflatten(-1, (nhead, -1)).transpose(1, 2)
        for part in (both @ w_in.mT + b_in).chunk(3, -1)
    )
    batch, length = target.shape[:2]
    padding = memory_padding_mask
    if padding is None:
        padding = torch.zeros(memory.shape[:2], dtype=torch.bool, device=memory.device)
    own = torch.ones(batch, length, dtype=torch.bool, device=target.device)
    output = _attend(query, key, value, torch.cat([own, padding], 1))[:, :, :length]
    return output.transpose(1, 2).flatten(2) @ w_out.mT + b_out


RIGHT = (
    cross_attention_slices,
    cross_attention_einsum,
    cross_attention_head_by_head,
    cross_attention_torch,
    cross_attention_joined,
)
