"""The gradient of attention, written out, so that it can be differentiated again.

Fused kernels compute a gradient of which no further derivative is known, where the plain operations
have derivatives of every order. A Hessian, or a penalty on a gradient, needs one. So a fused
attention's gradient is computed as here where a graph of the gradient is asked for
(`create_graph=True`, `torch.func`), and by the kernel otherwise.

Source: Dao et al. 2022, "FlashAttention", appendix B.2 (the backward pass).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

# Beside `attention`, which calls it for every output of a fused kernel that has a graph.
__all__ = ["allow_second_derivative", "attention_gradient"]

# The kernels whose saved tensors this file knows, by the names of their nodes in the graph.
_FUSED = {
    "ScaledDotProductFlashAttentionForCpuBackward0",
    "ScaledDotProductFlashAttentionBackward0",
    "ScaledDotProductEfficientAttentionBackward0",
    "ScaledDotProductCudnnAttentionBackward0",
}


def attention_gradient(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    gradient: Tensor,
    scale: float | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Go back through `softmax(query @ key.T * scale + mask) @ value`, step by step.

    Args:
        query: `(..., L, Dh)`.
        key: `(..., S, Dh)`.
        value: `(..., S, Dv)`.
        mask: added to the scores, broadcasts to `(..., L, S)`. No row may be `-inf` throughout.
        gradient: of the output, `(..., L, Dv)`.
        scale: of the scores; `1 / sqrt(Dh)` where not given.

    Returns:
        The gradients of query, key and value, in their shapes.

    >>> q = torch.randn(3, 2, requires_grad=True)
    >>> output = torch.softmax(q @ q.T / math.sqrt(2), dim=-1) @ q
    >>> by_hand = sum(attention_gradient(q, q, q, None, torch.ones(3, 2)))
    >>> torch.allclose(torch.autograd.grad(output.sum(), q)[0], by_hand, atol=1e-6)
    True
    """
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = (query * scale) @ key.transpose(-2, -1)  # (..., L, S)
    weights = torch.softmax(scores if mask is None else scores + mask, dim=-1)  # (..., L, S)
    d_value = weights.transpose(-2, -1) @ gradient  # (..., S, Dv)
    d_weights = gradient @ value.transpose(-2, -1)  # (..., L, S)
    # A weight grows at the cost of all others in its row.
    d_scores = weights * (d_weights - (d_weights * weights).sum(dim=-1, keepdim=True))
    d_query = d_scores @ key * scale  # (..., L, Dh)
    d_key = d_scores.transpose(-2, -1) @ query * scale  # (..., S, Dh)
    return d_query, d_key, d_value


def allow_second_derivative(output: Tensor) -> Tensor:
    """Let the gradient of a fused attention's output (any shape) be differentiated again.

    `output`, returned unchanged, is of `F.scaled_dot_product_attention` without dropout. Nothing is
    computed or kept until someone asks for a graph of the gradient. Within
    `torch.utils.checkpoint` the kernel's gradient stays, and has no derivative.
    """
    node = output.grad_fn
    if node is not None and type(node).__name__ in _FUSED:
        node.register_hook(_written_out)
    return output


def _written_out(
    computed: tuple[Tensor | None, ...], gradients: tuple[Tensor | None, ...]
) -> tuple[Tensor | None, ...] | None:
    """Replace the kernel's gradients where they are themselves to be differentiated."""
    if not torch.is_grad_enabled() or gradients[0] is None:
        return None
    # The node's own tensors: kept in a closure, they would outlive the backward pass.
    node: Any = torch._C._current_autograd_node()
    try:
        mask = getattr(node, "_saved_attn_mask", None)
        mask = getattr(node, "_saved_attn_bias", None) if mask is None else mask
        qkv = node._saved_query, node._saved_key, node._saved_value
    except RuntimeError:  # torch.utils.checkpoint gives each saved tensor once, to the kernel
        return None
    made = attention_gradient(*qkv, mask, gradients[0], node._saved_scale)
    wanted = zip(computed, (*made, *[None] * len(computed)), strict=False)
    return tuple(new if old is not None and new is not None else old for old, new in wanted)
