"""Right answers to feed_forward.count_parameters in other styles than the model solution's."""

import math

import torch
from torch import nn


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


RIGHT = (
    count_formula,
    count_torch,
    count_meta,
    count_shapes,
    count_heads,
    count_parts,
)
