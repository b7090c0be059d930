"""Multi-head attention of new tokens only, with the earlier ones' keys and values cached.

Source: Shazeer 2019, "Fast Transformer Decoding: One Write-Head is All You Need", section 2.3.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from encoder_core.attention import merge_heads, split_heads
from encoder_core.cache import LayerCache
from encoder_core.masks import causal_mask, join_head_masks
from encoder_core.multihead import MultiheadAttention

__all__ = ["attend_to_memory", "attend_to_past"]


def attend_to_past(attention: MultiheadAttention, x: Tensor, cache: LayerCache) -> Tensor:
    """Let new tokens `(B, L, D)` attend to all before them and, causally, to one another.

    The cache holds the tokens before; afterwards also these. Its keys are not yet turned by rotary
    positions, which `attend` does at every step.
    """
    past, new = cache.length, x.shape[1]
    query, key, value = attention.project(x, x, x)  # (B, H, L, Dh) each
    key, value = cache.append(key, value)  # (B, H, T + L, Dh) each
    # A single new token may look at everything there is: no mask.
    mask = None if new == 1 else causal_mask(past + new, device=x.device)[past:]  # (L, T + L)
    return _attend(attention, query, key, value, mask, offset=past)


def attend_to_memory(
    attention: MultiheadAttention,
    x: Tensor,
    memory: Tensor,
    cache: LayerCache,
    memory_key_padding_mask: Tensor | None = None,
) -> Tensor:
    """Let new tokens `(B, L, D)` attend to the encoder's output, whose keys and values are kept.

    Args:
        memory: the encoder's output, `(B, S, D)`; read where the cache holds none yet.
        memory_key_padding_mask: `(B, S)`; True at padding.
    """
    if cache.memory_key is None or cache.memory_value is None:
        query, key, value = attention.project(x, memory, memory)
        cache.memory_key, cache.memory_value = key, value  # (B, H, S, Dh) each
    else:
        d_model, bias = attention.embed_dim, attention.in_proj_bias
        projected = F.linear(
            x, attention.in_proj_weight[:d_model], None if bias is None else bias[:d_model]
        )  # (B, L, D)
        query = split_heads(projected, attention.num_heads)  # (B, H, L, Dh)
        key, value = cache.memory_key, cache.memory_value
    sizes = (x.shape[0], attention.num_heads, x.shape[1], key.shape[2])  # B, H, L, S
    mask = join_head_masks(sizes, memory_key_padding_mask, None, False, x.device)
    return _attend(attention, query, key, value, mask)


def _attend(
    attention: MultiheadAttention,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    offset: int = 0,
) -> Tensor:
    heads, _ = attention.attend(query, key, value, mask, offset=offset)  # (B, H, L, Dh)
    output: Tensor = attention.out_proj(merge_heads(heads))  # (B, L, D)
    return output
