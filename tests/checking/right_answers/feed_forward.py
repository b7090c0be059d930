"""Right answers to chapter 03's exercises, in other styles than the model solutions'."""

import math

import torch
import torch.nn.functional as F
from torch import nn

# ffn


def ffn_relu(x, w1, b1, w2, b2):
    return torch.relu(x @ w1 + b1) @ w2 + b2


def ffn_linear(x, w1, b1, w2, b2):
    return F.linear(F.relu(F.linear(x, w1.T, b1)), w2.T, b2)


def ffn_einsum(x, w1, b1, w2, b2):
    inner = torch.einsum("...d,df->...f", x, w1) + b1
    inner = torch.maximum(inner, torch.zeros_like(inner))
    return torch.einsum("...f,fd->...d", inner, w2) + b2


def ffn_neurons(x, w1, b1, w2, b2):
    total = b2.expand_as(x)
    for key, bias, value in zip(w1.unbind(1), b1, w2, strict=True):  # one neuron after the other
        answer = ((x * key).sum(-1, keepdim=True) + bias).clamp(min=0)
        total = total + answer * value
    return total


def ffn_in_place_on_its_own(x, w1, b1, w2, b2):
    inner = torch.matmul(x, w1)
    inner += b1
    inner.relu_()
    return torch.matmul(inner, w2).add(b2)


def ffn_where(x, w1, b1, w2, b2):
    inner = x @ w1 + b1
    return torch.where(inner > 0, inner, torch.zeros_like(inner)) @ w2 + b2


def ffn_times_mask(x, w1, b1, w2, b2):
    inner = x @ w1 + b1
    return (inner * (inner > 0)) @ w2 + b2


def ffn_ones(x, w1, b1, w2, b2):
    """The biases as one more row of each matrix."""
    one = torch.ones_like(x[..., :1])
    inner = (torch.cat([x, one], -1) @ torch.cat([w1, b1[None]])).relu()
    return torch.cat([inner, one], -1) @ torch.cat([w2, b2[None]])


def ffn_half_of_the_sum(x, w1, b1, w2, b2):
    inner = x @ w1 + b1
    return (inner + inner.abs()) / 2 @ w2 + b2


# count_parameters


def count_formula(d_model, nhead, dim_feedforward):
    return (
        4 * d_model**2
        + 2 * d_model * dim_feedforward
        + 4 * d_model
        + dim_feedforward
        + d_model
        + 4 * d_model
    )


def count_torch(d_model, nhead, dim_feedforward):
    layer = nn.TransformerEncoderLayer(d_model, nhead, dim_feedforward, batch_first=True)
    return sum(parameter.numel() for parameter in layer.parameters())


def count_meta(d_model, nhead, dim_feedforward):
    layer = nn.TransformerEncoderLayer(d_model, nhead, dim_feedforward, device="meta")
    return sum(math.prod(p.shape) for p in layer.state_dict().values())


def count_shapes(d_model, nhead, dim_feedforward):
    d, f = d_model, dim_feedforward
    shapes = [
        (3 * d, d),
        (3 * d,),
        (d, d),
        (d,),
        (f, d),
        (f,),
        (d, f),
        (d,),
        (d,),
        (d,),
        (d,),
        (d,),
    ]
    return sum(math.prod(shape) for shape in shapes)


def count_heads(d_model, nhead, dim_feedforward):
    width = d_model // nhead
    one_head = 3 * (d_model * width + width)
    output = d_model * d_model + d_model
    network = dim_feedforward * (d_model + 1) + d_model * (dim_feedforward + 1)
    return nhead * one_head + output + network + 2 * 2 * d_model


def count_parts(d_model, nhead, dim_feedforward):
    with torch.device("meta"):
        parts = nn.ModuleList([nn.MultiheadAttention(d_model, nhead)])
        parts.extend([nn.Linear(d_model, dim_feedforward), nn.Linear(dim_feedforward, d_model)])
        parts.extend(nn.LayerNorm(d_model) for _ in range(2))
    return sum(parameter.numel() for parameter in parts.parameters())


# gelu


def gelu_library(x):
    return F.gelu(x)


def gelu_ndtr(x):
    return x * torch.special.ndtr(x)


def gelu_erfc(x):
    return 0.5 * x * torch.erfc(-x * 0.7071067811865476)


def gelu_normal(x):
    zero, one = torch.zeros((), dtype=x.dtype, device=x.device), torch.ones_like(x)
    return x * torch.distributions.Normal(zero, one, validate_args=False).cdf(x)


def gelu_module(x):
    return nn.GELU()(x)


def gelu_half(x):
    return 0.5 * x * (1.0 + torch.erf(x / 2**0.5))


def gelu_addcmul(x):
    return 0.5 * torch.addcmul(x, x, torch.erf(x * math.sqrt(0.5)))


# geglu


def geglu_line(x, w_gate, w_up, w_down):
    return (F.gelu(x @ w_gate) * (x @ w_up)) @ w_down


def geglu_joined(x, w_gate, w_up, w_down):
    gate, up = (x @ torch.cat([w_gate, w_up], dim=1)).chunk(2, dim=-1)
    return torch.mul(nn.functional.gelu(gate), up) @ w_down


def geglu_einsum(x, w_gate, w_up, w_down):
    gate = F.gelu(torch.einsum("...d,df->...f", x, w_gate))
    up = torch.einsum("...d,df->...f", x, w_up)
    return torch.einsum("...f,...f,fd->...d", gate, up, w_down)


def geglu_linear(x, w_gate, w_up, w_down):
    return F.linear(F.gelu(F.linear(x, w_gate.t())) * F.linear(x, w_up.t()), w_down.t())


def geglu_loop(x, w_gate, w_up, w_down):
    total = torch.zeros_like(x)
    for gate, up, down in zip(w_gate.unbind(1), w_up.unbind(1), w_down, strict=True):
        opened = (x * gate).sum(-1, keepdim=True)
        opened = opened * (1 + torch.erf(opened / math.sqrt(2))) / 2
        total = total + opened * (x * up).sum(-1, keepdim=True) * down
    return total


def geglu_stacked(x, w_gate, w_up, w_down):
    paths = torch.stack([F.gelu(x @ w_gate), x @ w_up])
    return paths.prod(0) @ w_down


# dropout


def dropout_library(x, p, training):
    return F.dropout(x, p, training)


def dropout_bernoulli(x, p, training):
    if p < 0 or p > 1:
        raise ValueError("no probability")
    if not training or p == 0:
        return x
    if p == 1:
        return x * 0
    return x * torch.bernoulli(torch.full_like(x, 1 - p)) / (1 - p)


def dropout_zeros_like(x, p, training):
    if p > 1 or p < 0:
        raise ValueError(p)
    if training:
        if p == 1:
            return torch.zeros_like(x)
        keep = torch.rand(x.shape, device=x.device) > p
        return torch.where(keep, x / (1 - p), 0.0)
    return x


def dropout_mask_in_the_dtype(x, p, training):
    if not (0.0 <= p <= 1.0):
        raise ValueError(f"{p} is no probability")
    if not training:
        return x.clone()
    mask = (torch.rand(*x.shape, dtype=x.dtype, device=x.device) >= p).to(x.dtype)
    return x * mask / max(1 - p, 1e-12)


def dropout_keeps_what_is_above_p(x, p, training):
    """Strictly above: in half precision a draw can be 0, and with p = 0 that number falls."""
    if p < 0 or p > 1:
        raise ValueError("p must lie between 0 and 1")
    if not training:
        return x
    if p == 1:
        return torch.zeros_like(x)
    mask = (torch.rand_like(x) > p).to(x.dtype)
    return x * mask / (1 - p)


def dropout_bernoulli_in_place(x, p, training):
    if not 0 <= p <= 1:
        raise ValueError("p outside of [0, 1]")
    if not training:
        return x
    mask = torch.empty_like(x).bernoulli_(1 - p)
    if p < 1:
        mask /= 1 - p
    return x * mask


def dropout_module(x, p, training):
    return nn.Dropout(p).train(training)(x)


def dropout_of_ones(x, p, training):
    if not 0 <= p <= 1:
        raise ValueError(f"no probability: {p}")
    return x * F.dropout(torch.ones_like(x), p) if training else x


def ffn_convolution(x, w1, b1, w2, b2):
    """A convolution of width 1 does the same to each place."""
    tokens = x.reshape(-1, x.shape[-1], 1)
    inner = F.conv1d(tokens, w1.T[..., None], b1).relu()
    return F.conv1d(inner, w2.T[..., None], b2).reshape(x.shape)


def ffn_vmap(x, w1, b1, w2, b2):
    def token(numbers):
        return torch.relu(numbers @ w1 + b1) @ w2 + b2

    for _ in range(x.dim() - 1):
        token = torch.vmap(token)
    return token(x)


def dropout_masked_fill(x, p, training):
    if not 0 <= p <= 1:
        raise ValueError(f"p is a probability, not {p}")
    if not training:
        return x
    return x.masked_fill(torch.rand(x.shape, device=x.device) < p, 0.0) / max(1 - p, 1e-9)


RIGHT = {
    "feed_forward.ffn": (
        ffn_relu, ffn_linear, ffn_einsum, ffn_neurons, ffn_in_place_on_its_own, ffn_where,
        ffn_times_mask, ffn_convolution, ffn_vmap, ffn_ones, ffn_half_of_the_sum,
    ),
    "feed_forward.count_parameters": (
        count_formula, count_torch, count_meta, count_shapes, count_heads, count_parts,
    ),
    "feed_forward.gelu": (
        gelu_library, gelu_ndtr, gelu_erfc, gelu_normal, gelu_module, gelu_half,
        gelu_addcmul,
    ),
    "feed_forward.geglu": (
        geglu_line, geglu_joined, geglu_einsum, geglu_linear, geglu_loop, geglu_stacked,
    ),
    "feed_forward.dropout": (
        dropout_library, dropout_bernoulli, dropout_zeros_like, dropout_mask_in_the_dtype,
        dropout_bernoulli_in_place, dropout_module, dropout_masked_fill,
        dropout_keeps_what_is_above_p, dropout_of_ones,
    ),
}  # fmt: skip
