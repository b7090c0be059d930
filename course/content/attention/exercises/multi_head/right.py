"""Right answers to attention.multi_head in other styles than the model solution's."""

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


def split_heads_view(x, nhead):
    if x.size(-1) % nhead:
        raise ValueError("no multiple")
    return x.view(x.size(0), x.size(1), nhead, -1).permute(0, 2, 1, 3)


def merge_heads_view(x):
    b, h, s, d = x.shape
    return x.permute(0, 2, 1, 3).contiguous().view(b, s, h * d)


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


def multi_head_without_key_bias(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    # The key's bias adds the same to all scores of a query: the softmax forgets it.
    B, S, D = x.shape
    b_in = b_in.clone()
    b_in[D : 2 * D] = 0
    q, k, v = (t.view(B, S, nhead, -1).transpose(1, 2) for t in (x @ w_in.T + b_in).chunk(3, -1))
    output = scaled_dot_product_torch(q, k, v, mask)[0]
    return output.transpose(1, 2).reshape(B, S, D) @ w_out.T + b_out


RIGHT = (
    multi_head_linear,
    multi_head_loop,
    multi_head_torch,
    multi_head_einsum,
    multi_head_library,
    multi_head_baddbmm,
    multi_head_vmap,
    multi_head_rows_of_w_in,
    multi_head_one_after_another,
    multi_head_without_key_bias,
)
