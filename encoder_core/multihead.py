"""Multi-head attention: several attentions side by side, each in a slice of the model's width.

The parameters, their names and their first values are those of `torch.nn.MultiheadAttention`, so
state dicts go both ways with no renaming.

Source: Vaswani et al. 2017, "Attention Is All You Need", section 3.2.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from encoder_core.attention import (
    AttentionFunction,
    AttentionStrategy,
    attend,
    merge_heads,
    split_heads,
)
from encoder_core.checks import require_batch_first, require_sources
from encoder_core.local_attention import suits, windowed_attention
from encoder_core.masks import join_head_masks, local_mask, merge_masks

__all__ = ["MultiheadAttention"]


class MultiheadAttention(nn.Module):
    """Project to queries, keys and values, attend in each head, project the heads back.

    Self-attention takes the same tensor three times; cross-attention takes the queries from one
    sequence and the keys and values from another. Weights, `B x H x L x S` numbers that the fused
    form never writes down, are built only when asked for.

    Args:
        embed_dim: D, divisible by `num_heads`, H.
        dropout: on the weights, in training only.
        batch_first: True; accepted because `torch.nn` has it.
        rotary: turns queries and keys by their positions, such as `positions.Rotary(D // H)`.
        window: in self-attention, how far a token sees to each side; None is all the text.
        position_bias: a module that returns what is added to the scores, `(H, L, S)`, called as
            `position_bias(L, S, offset)`, such as `relative.RelativeBias(H)`. One for each
            attention: two that hold the same module share its table. May be set at any time.
        attention: attends in place of this package's own function (see `AttentionFunction`). The
            attribute of that name may be set at any time.

    Shapes: see `forward`. State-dict keys: `in_proj_weight` `(3D, D)`, `in_proj_bias` `(3D,)`
    (query, key, value stacked), `out_proj.weight` `(D, D)`, `out_proj.bias` `(D,)`; and
    `position_bias.*` where there is one.

    Raises:
        ValueError: D is not divisible by H, or `batch_first` is False.

    >>> attention = MultiheadAttention(embed_dim=8, num_heads=2)
    >>> x = torch.randn(3, 5, 8)
    >>> output, weights = attention(x, x, x, need_weights=True, average_attn_weights=False)
    >>> output.shape, weights.shape
    (torch.Size([3, 5, 8]), torch.Size([3, 2, 5, 5]))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        *,
        batch_first: bool = True,
        rotary: nn.Module | None = None,
        window: int | None = None,
        attention: AttentionFunction | None = None,
        position_bias: nn.Module | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if num_heads < 1 or embed_dim % num_heads:
            raise ValueError(f"embed_dim={embed_dim} is not divisible by num_heads={num_heads}.")
        require_batch_first(batch_first)
        self.embed_dim, self.num_heads, self.dropout = embed_dim, num_heads, dropout
        self.head_dim = embed_dim // num_heads
        self.batch_first = batch_first  # torch.nn's stacks ask their layers
        self.rotary, self.window, self.attention = rotary, window, attention
        self.position_bias = position_bias
        # For a while, see `recording` and `interventions`; no copy takes them along.
        self.watchers: list[Callable[[Tensor, Tensor], None]] = []  # see heads and weights
        self.changes: list[Callable[[Tensor], Tensor]] = []  # replace the heads' outputs
        self.functions: list[list[AttentionFunction | None]] = []  # the last attends
        self.in_proj_weight = nn.Parameter(
            torch.empty(3 * embed_dim, embed_dim, device=device, dtype=dtype)
        )
        in_proj_bias = torch.empty(3 * embed_dim, device=device, dtype=dtype) if bias else None
        self.in_proj_bias = None if in_proj_bias is None else nn.Parameter(in_proj_bias)
        self.out_proj = nn.Linear(embed_dim, embed_dim, bias=bias, device=device, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw fresh projections (Xavier, uniform) and set the biases to zero, as torch.nn does."""
        nn.init.xavier_uniform_(self.in_proj_weight)
        if self.in_proj_bias is not None:
            nn.init.zeros_(self.in_proj_bias)
            nn.init.zeros_(self.out_proj.bias)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out of copies and files what is here for a while only."""
        return {**self.__dict__, "watchers": [], "changes": [], "functions": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Read a copy or a file, also one of before there were `functions` or a bias."""
        absent: dict[str, Any] = {"functions": []}
        if "position_bias" not in state["_modules"]:
            absent["position_bias"] = None
        super().__setstate__({**absent, **state})  # type: ignore[no-untyped-call]

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = False,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
        *,
        strategy: AttentionStrategy | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend. Arguments in the order of `torch.nn`, but `need_weights` is False by default.

        Args:
            query: `(B, L, D)`, or unbatched `(L, D)`.
            key: `(B, S, D)`, or `(S, D)`.
            value: as `key`.
            key_padding_mask: `(B, S)`, or `(S,)`; True (or `-inf`) at padding.
            attn_mask: `(L, S)`, `(B * H, L, S)`, `(B, L, S)` or anything that broadcasts to
                `(B, H, L, S)`; True is blocked, floating is added.
            average_attn_weights: return the weights' mean over the heads.
            is_causal: block the future beside what the masks block. No mask is ever dropped.
            strategy: attends to a batch whose rows are not its texts.

        Returns:
            The output `(B, L, D)`, and the weights `(B, L, S)`, per head `(B, H, L, S)`, or None. A
            query that may look at nothing gets zero weights and `out_proj.bias` as its output.

        Raises:
            TypeError: an integer mask, or weights asked of an attention function without them.
            ValueError: a floating mask of zeros and ones; shapes that do not fit.
        """
        require_sources(query, key, value, self.embed_dim)
        batched = query.dim() == 3
        if not batched:
            query, key, value = _add_batch(query, key, value)
            key_padding_mask = None if key_padding_mask is None else key_padding_mask[None]
        sizes = (query.shape[0], self.num_heads, query.shape[1], key.shape[1])  # B, H, L, S
        mask = join_head_masks(sizes, key_padding_mask, attn_mask, is_causal, query.device)
        q, k, v = self.project(query, key, value)  # (B, H, L, Dh), (B, H, S, Dh) twice
        heads, weights = self.attend(q, k, v, mask, need_weights, strategy=strategy)
        output = self.out_proj(merge_heads(heads))  # (B, L, D)
        if weights is not None and average_attn_weights:
            weights = weights.mean(dim=1)  # (B, H, L, S) -> (B, L, S)
        if batched:
            return output, weights
        return output[0], None if weights is None else weights[0]

    def project(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Make each head's queries, keys and values, not yet turned by `rotary`.

        `(B, L, D)` and twice `(B, S, D)` to `(B, H, L, Dh)` and twice `(B, H, S, Dh)`; in one
        product where the three are one tensor.
        """
        weight, bias = self.in_proj_weight, self.in_proj_bias
        if query is key and key is value:
            parts = F.linear(query, weight, bias).chunk(3, dim=-1)  # (B, S, 3D) -> 3 (B, S, D)
        else:
            biases = (None, None, None) if bias is None else bias.chunk(3)
            sources = zip((query, key, value), weight.chunk(3), biases, strict=True)
            parts = tuple(F.linear(x, w, b) for x, w, b in sources)
        q, k, v = (split_heads(part, self.num_heads) for part in parts)
        return q, k, v

    def attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None = None,
        need_weights: bool = False,
        *,
        offset: int = 0,
        strategy: AttentionStrategy | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend in every head, and let `inspect.recording` watch and change the heads.

        Query `(B, H, L, Dh)`, key and value `(B, H, S, Dh)` and a mask that broadcasts to
        `(B, H, L, S)`; returns the heads' outputs `(B, H, L, Dh)`, and the weights `(B, H, L, S)`
        or None. `offset` is the place of the first query; the first key's is 0.
        """
        wanted = need_weights or bool(self.watchers)
        if strategy is None:
            heads, weights = self._attend(query, key, value, mask, wanted, offset)
        else:
            heads, weights = strategy.attend(self._attend, query, key, value, mask, wanted)
        if self.watchers or self.changes:
            padded = heads if strategy is None else strategy.unpack_heads(heads)  # (B, H, L, Dh)
            for watch in self.watchers:
                watch(padded, cast(Tensor, weights))
            for change in self.changes:
                padded = change(padded)
            heads = padded if strategy is None else strategy.pack_heads(padded)
        return heads, weights if need_weights else None

    def _attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None,
        need_weights: bool,
        offset: int = 0,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend in texts of one length, or padded to it: turned, biased, and through the window."""
        if self.rotary is not None:
            query = self.rotary(query, offset=offset) if offset else self.rotary(query)
            key = self.rotary(key)
        bias = self._bias(query, key, offset)  # (H, L, S)
        function = self.functions[-1][0] if self.functions else self.attention
        dropout = self.dropout if self.training else 0.0  # the functions know nothing of training
        if self.window is not None and query.shape[2] != key.shape[2]:
            raise ValueError("A window is for self-attention; this call has other keys.")
        if self.window is not None and self.window < key.shape[2] - 1:
            plain = function is None and bias is None and not need_weights
            if plain and suits(query, key, mask, self.window):
                padding = None if mask is None else mask[:, 0, 0]  # (B, 1, 1, S) -> (B, S)
                return windowed_attention(query, key, value, self.window, padding, dropout), None
            mask = merge_masks(mask, local_mask(key.shape[2], self.window, device=key.device))
        return attend(function, query, key, value, mask, need_weights, dropout, bias)

    def _bias(self, query: Tensor, key: Tensor, offset: int) -> Tensor | None:
        """Ask the module for what it adds to the scores, `(H, L, S)`."""
        if self.position_bias is None:
            return None
        length, keys = query.shape[2], key.shape[2]
        bias: Tensor = self.position_bias(length, keys, offset)
        if bias.shape != (self.num_heads, length, keys):
            raise ValueError(
                f"The position bias has shape {tuple(bias.shape)}; expected (H, L, S) = "
                f"{(self.num_heads, length, keys)}."
            )
        return bias.to(query.dtype)


def _add_batch(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Give unbatched input `(S, D)` a batch of one, keeping what is the same tensor the same."""
    new_query = query[None]  # (1, L, D)
    new_key = new_query if key is query else key[None]  # (1, S, D)
    return new_query, new_key, new_key if value is key else value[None]
