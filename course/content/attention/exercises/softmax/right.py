"""Right answers to attention.softmax in other styles than the model solution's."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

INF = float("inf")


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


def softmax_where_rows(x, dim):
    dead = (x == -math.inf).all(dim=dim, keepdim=True)
    return torch.softmax(torch.where(dead, torch.zeros_like(x), x), dim=dim).masked_fill(dead, 0.0)


def softmax_clamped_maximum(x, dim):
    m = x.max(dim=dim, keepdim=True).values.clamp(min=torch.finfo(x.dtype).min)
    e = (x - m).exp()
    return e / e.sum(dim=dim, keepdim=True).clamp(min=torch.finfo(x.dtype).tiny)


RIGHT = (
    softmax_library,
    softmax_nan_to_num,
    softmax_loop,
    softmax_logsumexp,
    softmax_detached_maximum,
    softmax_tiny_epsilon,
    softmax_vmap,
    softmax_where_rows,
    softmax_clamped_maximum,
)
