"""Right answers to stacking.layer_norm in other styles than the model solution's."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def layer_norm_library(x, weight, bias, eps=1e-5):
    return F.layer_norm(x, (x.shape[-1],), weight, bias, eps)


def layer_norm_var(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    variance, mean = torch.var_mean(x, dim=-1, keepdim=True, correction=0)
    return weight * (x - mean) * torch.rsqrt(variance + eps) + bias


def layer_norm_einsum(x, weight, bias, eps=1e-5):
    d_model = x.size(-1)
    centred = x - torch.einsum("...d->...", x).unsqueeze(-1) / d_model
    square = torch.einsum("...d,...d->...", centred, centred).unsqueeze(-1) / d_model
    return torch.addcmul(bias, centred / (square + eps) ** 0.5, weight)


def layer_norm_loop(x, weight, bias, eps=1e-5):
    flat = x.reshape(-1, x.shape[-1])
    rows = []
    for row in flat:
        m = sum(row) / len(row)
        v = sum((number - m) ** 2 for number in row) / len(row)
        rows.append((row - m) / (v + eps).sqrt() * weight + bias)
    return torch.stack(rows).reshape(x.shape)


def layer_norm_group(x, weight, bias, eps=1e-5):
    """One group of all features: the same, for a matrix."""
    flat = x.reshape(-1, x.shape[-1])
    return F.group_norm(flat, 1, weight, bias, eps).reshape(x.shape)


def layer_norm_functional_call(x, weight, bias, eps=1e-5):
    norm = nn.LayerNorm(x.shape[-1], eps=eps, dtype=x.dtype, device=x.device)
    return torch.func.functional_call(norm, {"weight": weight, "bias": bias}, (x,))


def layer_norm_length(x, weight, bias, eps=1e-5):
    centred = x - x.mean(-1, keepdim=True)
    length = torch.linalg.vector_norm(centred, dim=-1, keepdim=True)
    return centred / (length * length / x.shape[-1] + eps).sqrt() * weight + bias


RIGHT = (
    layer_norm_library,
    layer_norm_var,
    layer_norm_einsum,
    layer_norm_loop,
    layer_norm_group,
    layer_norm_functional_call,
    layer_norm_length,
)
