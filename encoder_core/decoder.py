"""The Transformer decoder: as the encoder, with the future blocked and a look at the encoder.

`TransformerDecoderLayer` and `TransformerDecoder` take the arguments and state dicts of their
namesakes in `torch.nn` (with `batch_first=True`) and give the same numbers. `step` computes only
the new tokens, with a cache of keys and values for the old ones; a test holds both equal.

Source: Vaswani et al. 2017, "Attention Is All You Need", section 3.1 and figure 1, right half.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from encoder_core.activations import Activation, activation_function
from encoder_core.cache import KeyValueCache, LayerCache
from encoder_core.cached_attention import attend_to_memory, attend_to_past
from encoder_core.checks import require_batch_first, require_batch_first_layers, require_width
from encoder_core.masks import block_future, check_mask, match_masks
from encoder_core.multihead import MultiheadAttention
from encoder_core.residual import get_clones

__all__ = ["TransformerDecoder", "TransformerDecoderLayer"]

# As `MultiheadAttention` takes them: padding, need_weights, mask, average_attn_weights, is_causal.
_Masks = tuple[Tensor | None, bool, Tensor | None, bool, bool]


class TransformerDecoderLayer(nn.Module):
    """One layer: self-attention, attention to the encoder's output, feed-forward.

    The arguments are those of `TransformerEncoderLayer`; dropout falls on both attentions'
    weights, on the three sub-layers' outputs and after the activation, as in `torch.nn`.

    Shapes: target `(B, T, D)` and memory `(B, S, D)` to `(B, T, D)`; or all without B.

    Raises:
        ValueError: `batch_first=False`; D not divisible by H; an unknown activation; in `forward`,
            inputs of other shapes, or an invalid mask.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = True,
        norm_first: bool = False,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        require_batch_first(batch_first)
        super().__init__()
        at: dict[str, Any] = {"device": device, "dtype": dtype}
        self.d_model, self.norm_first = d_model, norm_first
        self.activation = activation_function(activation)
        self.self_attn = MultiheadAttention(d_model, nhead, dropout=dropout, bias=bias, **at)
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout=dropout, bias=bias, **at)
        self.linear1 = nn.Linear(d_model, dim_feedforward, bias=bias, **at)
        self.dropout = nn.Dropout(dropout)
        self.linear2 = nn.Linear(dim_feedforward, d_model, bias=bias, **at)
        self.norm1 = nn.LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **at)
        self.norm2 = nn.LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **at)
        self.norm3 = nn.LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **at)
        self.dropout1 = nn.Dropout(dropout)
        self.dropout2 = nn.Dropout(dropout)
        self.dropout3 = nn.Dropout(dropout)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
        *,
        cache: LayerCache | None = None,
    ) -> Tensor:
        """Decode all of the target at once, as in training; or, with a cache, new tokens only.

        Args:
            tgt: `(B, T, D)` or `(T, D)`.
            memory: the encoder's output, `(B, S, D)` or `(S, D)`.
            tgt_mask: `(T, T)` or `(B * H, T, T)`; bool, True where blocked, or float, added.
            memory_mask: `(T, S)` or `(B * H, T, S)`.
            tgt_key_padding_mask: `(B, T)` or `(T,)`; True at padding.
            memory_key_padding_mask: `(B, S)` or `(S,)`.
            tgt_is_causal: block the future too; never replaces `tgt_mask`.
            cache: holds the earlier tokens, then these too; see `TransformerDecoder.step`.

        Raises:
            ValueError: a cache, which blocks the future by itself, with another mask than the
                memory's padding.
        """
        require_width("tgt", tgt, self.d_model)
        require_width("memory", memory, self.d_model)
        others = (tgt_mask, memory_mask, tgt_key_padding_mask, memory_is_causal or None)
        if cache is not None and any(mask is not None for mask in others):
            raise ValueError("With a cache the one mask that can be is memory_key_padding_mask.")

        masks = (tgt_key_padding_mask, False, tgt_mask, True, tgt_is_causal)
        memory_masks = (memory_key_padding_mask, False, memory_mask, True, memory_is_causal)
        x = tgt
        if self.norm_first:
            x = x + self._self_attention(self.norm1(x), masks, cache)
            x = x + self._cross_attention(self.norm2(x), memory, memory_masks, cache)
            x = x + self._feed_forward(self.norm3(x))
        else:
            x = self.norm1(x + self._self_attention(x, masks, cache))
            x = self.norm2(x + self._cross_attention(x, memory, memory_masks, cache))
            x = self.norm3(x + self._feed_forward(x))
        return x

    def _self_attention(self, x: Tensor, masks: _Masks, cache: LayerCache | None) -> Tensor:
        if cache is None:
            attended = self.self_attn(x, x, x, *masks)[0]
        else:
            attended = attend_to_past(self.self_attn, x, cache)
        dropped: Tensor = self.dropout1(attended)  # (B, T, D)
        return dropped

    def _cross_attention(
        self, x: Tensor, memory: Tensor, masks: _Masks, cache: LayerCache | None
    ) -> Tensor:
        if cache is None:
            attended = self.multihead_attn(x, memory, memory, *masks)[0]
        else:
            attended = attend_to_memory(self.multihead_attn, x, memory, cache, masks[0])
        dropped: Tensor = self.dropout2(attended)  # (B, T, D)
        return dropped

    def _feed_forward(self, x: Tensor) -> Tensor:
        inner = self.dropout(self.activation(self.linear1(x)))  # (B, T, F)
        output: Tensor = self.dropout3(self.linear2(inner))  # (B, T, D)
        return output


class TransformerDecoder(nn.Module):
    """A stack of decoder layers, as in `torch.nn`.

    The layers are deep copies of `decoder_layer` and **start with the same values**, as torch's
    do; `from_layers` stacks layers that were each initialised by themselves. A layer may be this
    package's, `torch.nn`'s or the reader's own: it is called as `layer(x, memory, tgt_mask=...,
    memory_mask=..., tgt_key_padding_mask=..., memory_key_padding_mask=...)`; what
    `tgt_is_causal` and `memory_is_causal` block is in the masks. Pre-norm stacks need a `norm`.

    Shapes: as in the layer.

    Raises:
        ValueError: a layer of `torch.nn` with `batch_first=False`.
    """

    def __init__(
        self, decoder_layer: nn.Module, num_layers: int, norm: nn.Module | None = None
    ) -> None:
        super().__init__()
        require_batch_first_layers([decoder_layer])
        self.layers = get_clones(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    @classmethod
    def from_layers(
        cls, layers: Sequence[nn.Module], norm: nn.Module | None = None
    ) -> TransformerDecoder:
        """Stack layers that were each initialised by themselves. Nothing is copied."""
        require_batch_first_layers(layers)
        stack = cls(nn.Identity(), 0, norm)
        stack.layers.extend(layers)
        stack.num_layers = len(layers)
        return stack

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Decode all of the target `(B, T, D)` at once; arguments as in the layer.

        Raises:
            TypeError: an integer mask.
            ValueError: a floating mask of zeros and ones; shapes that do not fit.
        """
        if min(tgt.dim(), memory.dim()) > 1:  # else the first layer says what is wrong
            # As masks, since not every layer reads `is_causal` as ours do, or knows it.
            length, keys = tgt.shape[-2], memory.shape[-2]  # T, S
            if tgt_is_causal:
                tgt_mask = block_future(tgt_mask, (length, length), tgt.device)
            if memory_is_causal:
                memory_mask = block_future(memory_mask, (length, keys), tgt.device)
        for mask in (tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask):
            check_mask(mask)  # for layers of the reader's own, which may not look
        tgt_mask, tgt_padding = match_masks(tgt_mask, tgt_key_padding_mask)
        memory_mask, memory_padding = match_masks(memory_mask, memory_key_padding_mask)
        masks = {
            "tgt_mask": tgt_mask,
            "memory_mask": memory_mask,
            "tgt_key_padding_mask": tgt_padding,
            "memory_key_padding_mask": memory_padding,
        }
        x = tgt
        for layer in self.layers:
            x = layer(x, memory, **masks)
        return x if self.norm is None else self.norm(x)

    def step(
        self,
        tgt: Tensor,
        memory: Tensor,
        cache: KeyValueCache,
        memory_key_padding_mask: Tensor | None = None,
    ) -> Tensor:
        """Decode new tokens `(B, L, D)` only, with a cache of `KeyValueCache.empty(num_layers)`.

        Args:
            memory: `(B, S, D)`; read at the first step, afterwards the cache stands for it.
            cache: changed; afterwards it holds these tokens too.
            memory_key_padding_mask: `(B, S)`; True at padding.

        Returns:
            `(B, L, D)`: the last rows of what `forward` returns for the whole target with
            `tgt_is_causal=True`.

        Raises:
            TypeError: a layer that takes no cache, such as `torch.nn`'s.
            ValueError: the cache is for another number of layers.

        >>> decoder = TransformerDecoder(TransformerDecoderLayer(8, 2, 16), 2).eval()
        >>> tgt, memory, cache = torch.randn(1, 4, 8), torch.randn(1, 5, 8), KeyValueCache.empty(2)
        >>> steps = [decoder.step(tgt[:, t : t + 1], memory, cache) for t in range(4)]
        >>> whole = decoder(tgt, memory, tgt_is_causal=True)
        >>> torch.allclose(torch.cat(steps, dim=1), whole, atol=1e-5)
        True
        """
        if len(cache.layers) != self.num_layers:
            raise ValueError(
                f"Need KeyValueCache.empty({self.num_layers}), got {len(cache.layers)}."
            )
        _require_cached(self.layers)
        x = tgt
        for layer, held in zip(self.layers, cache.layers, strict=True):
            x = layer(x, memory, memory_key_padding_mask=memory_key_padding_mask, cache=held)
        return x if self.norm is None else self.norm(x)


def _require_cached(layers: Iterable[nn.Module]) -> None:
    """Name the layer that cannot decode token by token."""
    for layer in layers:
        if isinstance(layer, TransformerDecoderLayer):
            continue
        if "cache" not in inspect.signature(layer.forward).parameters:
            raise TypeError(
                f"{type(layer).__name__} takes no cache=, which decoding step by step needs; "
                "encoder_core.TransformerDecoderLayer does, and has the same state dict as "
                "torch.nn's. Or call forward with the whole target."
            )
