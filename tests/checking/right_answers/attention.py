"""Right answers to chapter 02's exercises, in other styles than the model solutions'."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

INF = float("inf")


# softmax


def softmax_library(x: Tensor, dim: int) -> Tensor:
    return torch.softmax(x, dim).masked_fill((x == -INF).all(dim, keepdim=True), 0.0)


def softmax_nan_to_num(x, dim):
    return torch.nan_to_num(F.softmax(x, dim=dim), nan=0.0)


def softmax_loop(x, dim):
    rows = x.movedim(dim, -1)
    flat = rows.reshape(-1, rows.shape[-1])
    done = []
    for row in flat:
        if bool((row == -INF).all()):
            done.append(torch.zeros_like(row))
        else:
            powers = (row - row.max()).exp()
            done.append(powers / powers.sum())
    return torch.stack(done).reshape(rows.shape).movedim(-1, dim)


def softmax_logsumexp(x, dim):
    total = torch.logsumexp(x, dim, keepdim=True)
    return torch.where(
        total == -INF, torch.zeros_like(x), torch.exp(x - torch.where(total == -INF, 0.0, total))
    )


def softmax_detached_maximum(x, dim):
    with torch.no_grad():
        top = x.max(dim=dim, keepdim=True).values
        top = torch.where(torch.isinf(top), torch.zeros_like(top), top)
    powers = (x - top).exp()
    total = powers.sum(dim, keepdim=True)
    return torch.where(total > 0, powers / total.clamp(min=1e-30), torch.zeros_like(powers))


def softmax_tiny_epsilon(x, dim):
    top = torch.max(x, dim, keepdim=True)[0].detach().clamp(min=torch.finfo(x.dtype).min)
    powers = torch.exp(x - top)
    return powers / powers.sum(dim=dim, keepdim=True).clamp(min=torch.finfo(x.dtype).tiny)


def softmax_vmap(x, dim):
    def row(numbers):
        return torch.softmax(numbers, 0).nan_to_num(0.0)

    dim %= x.dim()
    for _ in range(x.dim() - 1):
        row = torch.vmap(row)
    return row(x.movedim(dim, -1)).movedim(-1, dim)


# scores


def scores_einsum(query, key):
    return torch.einsum("...ld,...sd->...ls", query, key) / math.sqrt(query.size(-1))


def scores_loop(query, key):
    rows = []
    for i in range(query.shape[-2]):
        one = query[..., i : i + 1, :]
        rows.append((one * key).sum(-1) * query.shape[-1] ** -0.5)
    return torch.stack(rows, dim=-2)


def scores_scaled_query(query, key):
    return (query * query.shape[-1] ** -0.5) @ key.mT


def scores_root_of_both(query, key):
    root = query.shape[-1] ** 0.25
    return torch.matmul(query / root, (key / root).swapaxes(-1, -2))


def scores_tensor_root(query, key):
    return torch.matmul(query, key.transpose(-1, -2)) / torch.sqrt(torch.tensor(query.size(-1)))


def scores_float_tensor_root(query, key):
    d = torch.tensor(query.size(-1), dtype=query.dtype, device=query.device)
    return torch.matmul(query, key.transpose(-1, -2)) / d.sqrt()


# causal_mask


def causal_mask_compare(length):
    places = torch.arange(length)
    return places[None, :] > places[:, None]


def causal_mask_loop(length):
    mask = torch.zeros(length, length, dtype=torch.bool)
    for i in range(length):
        mask[i, i + 1 :] = True
    return mask


def causal_mask_not_tril(length):
    return ~torch.tril(torch.ones((length, length), dtype=torch.bool))


def causal_mask_lists(length):
    return torch.tensor([[j > i for j in range(length)] for i in range(length)])


def causal_mask_torch(length):
    return nn.Transformer.generate_square_subsequent_mask(length) == -INF


# padding_mask


def padding_mask_compare(lengths, max_length):
    return torch.arange(max_length, device=lengths.device)[None] >= lengths[:, None]


def padding_mask_loop(lengths, max_length):
    mask = torch.ones(len(lengths), max_length, dtype=torch.bool, device=lengths.device)
    for row, length in enumerate(lengths.tolist()):
        mask[row, :length] = False
    return mask


def padding_mask_lists(lengths, max_length):
    rows = [[place >= int(n) for place in range(max_length)] for n in lengths]
    return torch.tensor(rows, dtype=torch.bool).to(lengths.device)


def padding_mask_cumulative(lengths, max_length):
    ones = lengths.new_ones(lengths.shape[0], max_length)
    return ones.cumsum(dim=1) > lengths.view(-1, 1)


# scaled_dot_product


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


# split_heads


def split_heads_view(x, nhead):
    if x.size(-1) % nhead:
        raise ValueError("no multiple")
    return x.view(x.size(0), x.size(1), nhead, -1).permute(0, 2, 1, 3)


def split_heads_chunk(x, nhead):
    if x.shape[2] % nhead != 0:
        raise ValueError("the width must be divisible by the number of heads")
    return torch.stack(x.chunk(nhead, dim=-1), dim=1)


def split_heads_unflatten(x, nhead):
    width, rest = divmod(x.shape[-1], nhead)
    if rest:
        raise ValueError(f"{rest} columns left over")
    return x.unflatten(-1, (nhead, width)).transpose(-2, -3).contiguous()


def split_heads_loop(x, nhead):
    batch, length, width = x.shape
    if width // nhead * nhead != width:
        raise ValueError("nhead")
    head = width // nhead
    out = x.new_zeros(batch, nhead, length, head)
    for h in range(nhead):
        out[:, h] = x[:, :, h * head : (h + 1) * head]
    return out


# merge_heads


def merge_heads_view(x):
    b, h, s, d = x.shape
    return x.permute(0, 2, 1, 3).contiguous().view(b, s, h * d)


def merge_heads_cat(x):
    return torch.cat([x[:, h] for h in range(x.shape[1])], dim=-1)


def merge_heads_flatten(x):
    return x.transpose(1, 2).flatten(2)


def merge_heads_einsum(x):
    return torch.einsum("bhsd->bshd", x).reshape(x.shape[0], x.shape[2], -1)


# multi_head


def _attend(query, key, value, mask):
    raw = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    if mask is not None:
        raw = raw.masked_fill(mask, -INF)
    return torch.softmax(raw, -1).nan_to_num(0.0) @ value


def multi_head_linear(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    batch, length, width = x.shape
    parts = F.linear(x, w_in, b_in).view(batch, length, 3, nhead, width // nhead)
    query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
    joined = _attend(query, key, value, mask).transpose(1, 2).reshape(batch, length, width)
    return F.linear(joined, w_out, b_out)


def multi_head_loop(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    width = x.shape[-1]
    head = width // nhead
    outputs = []
    for h in range(nhead):
        place = slice(h * head, (h + 1) * head)
        three = [
            x @ w_in[i * width : (i + 1) * width][place].T
            + b_in[i * width : (i + 1) * width][place]
            for i in range(3)
        ]
        own = None
        if mask is not None:
            full = mask.expand(x.shape[0], nhead, x.shape[1], x.shape[1])
            own = full[:, h]
        outputs.append(_attend(*three, own))
    return torch.cat(outputs, -1) @ w_out.T + b_out


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


def multi_head_einsum(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    width = x.shape[-1]
    w = w_in.reshape(3, nhead, width // nhead, width)
    b = b_in.reshape(3, 1, nhead, 1, width // nhead)
    query, key, value = torch.einsum("bsd,nhed->nbhse", x, w) + b
    out = torch.einsum(
        "bhse,whe->bsw", _attend(query, key, value, mask), w_out.reshape(width, nhead, -1)
    )
    return out + b_out


def multi_head_library(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    batch, length, width = x.shape
    own = torch.zeros((), dtype=torch.bool, device=x.device) if mask is None else mask
    own = own.expand(batch, nhead, length, length)
    idle = own.all(-1, keepdim=True)  # the library gives NaN there: let them look, and take it away
    added = torch.zeros(own.shape, dtype=x.dtype, device=x.device).masked_fill(own & ~idle, -INF)
    outputs = []
    for h in range(nhead):  # one head at a time, so that each row of each head can be taken away
        rows = slice(h * width // nhead, (h + 1) * width // nhead)
        y = x.transpose(0, 1)
        three = [part[rows] for part in w_in.chunk(3)], [part[rows] for part in b_in.chunk(3)]
        query, key, value = (F.linear(y, w, b) for w, b in zip(*three, strict=True))
        eye = torch.eye(width // nhead, dtype=x.dtype, device=x.device)
        zero = torch.zeros(width // nhead, dtype=x.dtype, device=x.device)
        out, _ = F.multi_head_attention_forward(
            query, key, value, width // nhead, 1, eye.repeat(3, 1), zero.repeat(3), None, None,
            False, 0.0, eye, zero, training=False, need_weights=False, attn_mask=added[:, h],
        )  # fmt: skip
        outputs.append(out.transpose(0, 1).masked_fill(idle[:, h], 0.0))
    return F.linear(torch.cat(outputs, -1), w_out, b_out)


def multi_head_baddbmm(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    batch, length, width = x.shape
    projected = torch.addmm(b_in, x.reshape(batch * length, width), w_in.t())
    parts = projected.view(batch, length, 3, nhead, width // nhead).permute(2, 0, 3, 1, 4)
    query, key, value = parts.reshape(3, batch * nhead, length, -1)
    bias = torch.zeros(batch, nhead, length, length, dtype=x.dtype, device=x.device)
    if mask is not None:
        bias = bias.masked_fill(mask, -INF)
    bias = bias.view(batch * nhead, length, length)
    raw = torch.baddbmm(bias, query, key.mT, alpha=(width // nhead) ** -0.5)
    output = torch.bmm(torch.softmax(raw, -1).nan_to_num(0.0), value)
    joined = output.view(batch, nhead, length, -1).permute(0, 2, 1, 3).reshape(x.shape)
    return torch.add(joined @ w_out.t(), b_out)


def multi_head_vmap(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    batch, length, width = x.shape
    if mask is None:
        mask = torch.zeros((), dtype=torch.bool, device=x.device)
    mask = mask.expand(batch, nhead, length, length)
    w = w_in.view(3, nhead, width // nhead, width).transpose(0, 1)
    b = b_in.view(3, nhead, width // nhead).transpose(0, 1)

    def head(w, b, x, blocked):
        query, key, value = (x @ w[i].T + b[i] for i in range(3))
        raw = (query @ key.T / math.sqrt(width // nhead)).masked_fill(blocked, -INF)
        return torch.softmax(raw, -1).nan_to_num(0.0) @ value

    heads = torch.vmap(head, in_dims=(0, 0, None, 0), out_dims=1)
    joined = torch.vmap(heads, in_dims=(None, None, 0, 0))(w, b, x, mask).flatten(2)
    return joined @ w_out.T + b_out


# entropy


def entropy_library(weights):
    return torch.special.entr(weights).sum(-1)


def entropy_xlogy(weights):
    return -torch.xlogy(weights, weights).sum(dim=-1)


def entropy_where(weights):
    terms = torch.where(weights > 0, weights * torch.log(weights), torch.zeros_like(weights))
    return terms.sum(-1).neg()


def entropy_nansum(weights):
    return -(weights * weights.log()).nansum(-1)


def entropy_clamp(weights):
    return -(weights * weights.clamp(min=torch.finfo(weights.dtype).tiny).log()).sum(-1)


def entropy_loop(weights):
    total = 0
    for column in weights.unbind(-1):
        log = torch.log(torch.where(column == 0, torch.ones_like(column), column))
        total = total - column * log
    return total


def softmax_where_rows(x, dim):
    dead = (x == -math.inf).all(dim=dim, keepdim=True)
    return torch.softmax(torch.where(dead, torch.zeros_like(x), x), dim=dim).masked_fill(dead, 0.0)


def softmax_clamped_maximum(x, dim):
    m = x.max(dim=dim, keepdim=True).values.clamp(min=torch.finfo(x.dtype).min)
    e = (x - m).exp()
    return e / e.sum(dim=dim, keepdim=True).clamp(min=torch.finfo(x.dtype).tiny)


def scaled_dot_product_filled_in_place(query, key, value, mask=None):
    attn = query @ key.mT / math.sqrt(query.size(-1))
    if mask is not None:
        attn.masked_fill_(mask, float("-inf"))
    attn = torch.nan_to_num(F.softmax(attn, dim=-1))
    return attn @ value, attn


def split_heads_movedim(x, nhead):
    b, s, d = x.shape
    if d % nhead:
        raise ValueError(f"cannot split {d} into {nhead} heads")
    return x.reshape(b, s, nhead, d // nhead).movedim(2, 1)


def multi_head_rows_of_w_in(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    d = x.shape[-1]
    q, k, v = (F.linear(x, w_in[i * d : (i + 1) * d], b_in[i * d : (i + 1) * d]) for i in range(3))
    out, _ = scaled_dot_product_torch(*(split_heads_view(t, nhead) for t in (q, k, v)), mask=mask)
    return F.linear(merge_heads_view(out), w_out, b_out)


def multi_head_one_after_another(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    B, S, D = x.shape
    dh = D // nhead
    full = torch.zeros(S, S, dtype=torch.bool, device=x.device) if mask is None else mask
    full = full.expand(B, nhead, S, S)
    qkv = x @ w_in.t() + b_in
    out = []
    for h in range(nhead):
        q = qkv[..., h * dh : (h + 1) * dh]
        k = qkv[..., D + h * dh : D + (h + 1) * dh]
        v = qkv[..., 2 * D + h * dh : 2 * D + (h + 1) * dh]
        out.append(scaled_dot_product_torch(q, k, v, full[:, h])[0])
    return torch.cat(out, -1) @ w_out.t() + b_out


def entropy_clamp_tiny(weights):
    return -(weights * weights.clamp_min(torch.finfo(weights.dtype).tiny).log()).sum(dim=-1)


RIGHT = {
    "attention.softmax": (
        softmax_library, softmax_nan_to_num, softmax_loop, softmax_logsumexp,
        softmax_detached_maximum, softmax_tiny_epsilon, softmax_vmap,
        softmax_where_rows,
        softmax_clamped_maximum,
    ),
    "attention.scores": (
        scores_einsum, scores_loop, scores_scaled_query, scores_root_of_both, scores_tensor_root,
        scores_float_tensor_root,
    ),
    "attention.causal_mask": (
        causal_mask_compare, causal_mask_loop, causal_mask_not_tril, causal_mask_lists,
        causal_mask_torch,
    ),
    "attention.padding_mask": (
        padding_mask_compare, padding_mask_loop, padding_mask_lists, padding_mask_cumulative,
    ),
    "attention.scaled_dot_product": (
        scaled_dot_product_torch, scaled_dot_product_einsum, scaled_dot_product_finite_then_zero,
        scaled_dot_product_additive, scaled_dot_product_fused,
        scaled_dot_product_number_by_number, scaled_dot_product_baddbmm,
        scaled_dot_product_logsumexp, scaled_dot_product_vmap,
        scaled_dot_product_filled_in_place,
    ),
    "attention.split_heads": (
        split_heads_view, split_heads_chunk, split_heads_unflatten, split_heads_loop,
        split_heads_movedim,
    ),
    "attention.merge_heads": (
        merge_heads_view, merge_heads_cat, merge_heads_flatten, merge_heads_einsum,
    ),
    "attention.multi_head": (
        multi_head_linear, multi_head_loop, multi_head_torch, multi_head_einsum,
        multi_head_library, multi_head_baddbmm, multi_head_vmap,
        multi_head_rows_of_w_in,
        multi_head_one_after_another,
    ),
    "attention.entropy": (
        entropy_library, entropy_xlogy, entropy_where, entropy_nansum, entropy_clamp, entropy_loop,
        entropy_clamp_tiny,
    ),
}  # fmt: skip
