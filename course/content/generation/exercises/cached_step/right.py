"""Right answers to generation.cached_step in other styles than the model solution's."""

import math

import torch
import torch.nn.functional as F


def cached_step_slices(x, past_key, past_value, w_in, b_in, w_out, b_out, nhead):
    batch, _, d = x.shape
    q, k, v = (F.linear(x, w_in[i * d : (i + 1) * d], b_in[i * d : (i + 1) * d]) for i in range(3))
    q, k, v = (t.view(batch, 1, nhead, d // nhead).transpose(1, 2) for t in (q, k, v))
    keys, values = torch.cat((past_key, k), -2), torch.cat((past_value, v), -2)
    output = F.scaled_dot_product_attention(q, keys, values)
    return F.linear(output.transpose(1, 2).reshape(batch, 1, d), w_out, b_out), keys, values


def cached_step_einsum(x, past_key, past_value, w_in, b_in, w_out, b_out, nhead):
    d = x.shape[-1]
    w, b = w_in.reshape(3, nhead, d // nhead, d), b_in.reshape(3, nhead, d // nhead)
    q, k, v = torch.einsum("bd,nhed->nbhe", x[:, 0], w) + b[:, None]
    keys = torch.cat([past_key, k[:, :, None]], 2)
    values = torch.cat([past_value, v[:, :, None]], 2)
    weights = torch.einsum("bhe,bhte->bht", q, keys).div(math.sqrt(d // nhead)).softmax(-1)
    output = torch.einsum("bht,bhte->bhe", weights, values).flatten(1)
    return (output @ w_out.mT + b_out)[:, None], keys, values


def cached_step_filled(x, past_key, past_value, w_in, b_in, w_out, b_out, nhead):
    """A tensor for all T + 1 tokens, filled: the old ones, then the new one."""
    batch, heads, past, width = past_key.shape
    q, k, v = (x @ w_in.T + b_in).view(batch, 3, heads, width).unbind(1)  # (B, H, Dh)
    keys = past_key.new_zeros(batch, heads, past + 1, width)
    values = torch.zeros_like(keys)
    keys[:, :, :past], values[:, :, :past] = past_key, past_value
    keys[:, :, past], values[:, :, past] = k, v
    scores = (q.unsqueeze(2) * keys).sum(-1) / width**0.5
    output = (scores.softmax(-1).unsqueeze(-1) * values).sum(2).reshape(batch, 1, -1)
    return output @ w_out.T + b_out, keys, values


def cached_step_online(x, past_key, past_value, w_in, b_in, w_out, b_out, nhead):
    """The new token's score apart from the old ones'."""

    def cut(w, b):
        return (x @ w.T + b).unflatten(-1, (nhead, -1)).transpose(1, 2)

    q, k, v = (cut(w, b) for w, b in zip(w_in.chunk(3), b_in.chunk(3), strict=True))
    q = q / math.sqrt(q.shape[-1])
    weights = torch.cat([q @ past_key.mT, (q * k).sum(-1, keepdim=True)], -1).softmax(-1)
    output = weights[..., :-1] @ past_value + weights[..., -1:] * v
    joined = output.squeeze(2).flatten(1).unsqueeze(1)
    keys, values = torch.cat([past_key, k], 2), torch.cat([past_value, v], 2)
    return joined @ w_out.T + b_out, keys, values


RIGHT = (cached_step_slices, cached_step_einsum, cached_step_filled, cached_step_online)
