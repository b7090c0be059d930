"""The parts of one encoder layer, each as a call that can be timed by itself."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course.system import measure
from encoder_core import TransformerEncoderLayer, split_heads

__all__ = ["compared", "parts"]


@torch.no_grad()
def parts(layer: TransformerEncoderLayer, x: Tensor) -> dict[str, Callable[[], Tensor]]:
    """What a post-norm layer does to x `(B, S, D)`, by the names that `encoder_core.layer_costs` gives it."""
    attention = layer.self_attn
    joined = F.linear(x, attention.in_proj_weight, attention.in_proj_bias)  # (B, S, 3D)
    q, k, v = (split_heads(each, attention.num_heads) for each in joined.chunk(3, dim=-1))
    q = q / math.sqrt(q.shape[-1])
    scores = q @ k.transpose(-2, -1)  # (B, H, S, S)
    weights = scores.softmax(dim=-1)
    inner = layer.linear1(x)  # (B, S, F)
    return {
        "query, key, value": lambda: F.linear(x, attention.in_proj_weight, attention.in_proj_bias),
        "scores": lambda: q @ k.transpose(-2, -1),
        "softmax": lambda: scores.softmax(dim=-1),
        "weighted values": lambda: weights @ v,
        "output projection": lambda: attention.out_proj(x),
        "feed-forward 1": lambda: layer.linear1(x),
        "activation": lambda: F.gelu(inner),
        "feed-forward 2": lambda: layer.linear2(inner),
        "residuals and norms": lambda: layer.norm2(x + layer.norm1(x + x)),
    }


def compared(layer: TransformerEncoderLayer, x: Tensor) -> dict[str, float]:
    """The seconds of each part, measured by itself."""
    return {name: measure.seconds(part) for name, part in parts(layer, x).items()}
