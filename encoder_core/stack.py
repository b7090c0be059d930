"""Layers one after another, whoever made them.

This package's layers check their masks themselves. `torch.nn`'s and the reader's own may not, so
masks are checked for them, and a fast path of `torch.nn` that misreads floating masks is left out.

Source: `torch.nn.TransformerEncoder`, which calls its layers so; pytorch issue 92554.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.backends import mha
from torch.overrides import TorchFunctionMode

from encoder_core.masks import additive_mask, check_mask, join_head_masks, match_masks, merge_masks

__all__ = ["run_layers", "takes_strategy"]


def run_layers(
    layers: Iterable[nn.Module],
    x: Tensor,
    mask: Tensor | None = None,
    padding_mask: Tensor | None = None,
    position_biases: Iterable[nn.Module | None] | None = None,
) -> Tensor:
    """Send `(B, S, D)` or `(S, D)` through layers.

    Each is called as `layer(x, src_mask=mask, src_key_padding_mask=padding_mask)`, with masks as
    `TransformerEncoderLayer.forward` takes them. `position_biases` has, for each layer, a module
    such as `relative.RelativeBias` or None. What it returns is added to the layer's mask, which is
    then floating and `(B * H, S, S)`, as `torch.nn`'s layers take it.

    Raises:
        TypeError: an integer mask.
        ValueError: a floating mask of zeros and ones; whatever the layers raise.
    """
    layers = list(layers)
    biases = [None] * len(layers) if position_biases is None else list(position_biases)
    biased = any(bias is not None for bias in biases)
    if not biased and all(map(takes_strategy, layers)):  # this package's
        for layer in layers:
            x = layer(x, src_mask=mask, src_key_padding_mask=padding_mask)
        return x
    check_mask(mask)
    check_mask(padding_mask)
    if biased and padding_mask is not None:
        padding_mask = additive_mask(padding_mask, x.dtype)
    mask, padding_mask = match_masks(mask, padding_mask)
    with _added(biased, mask, padding_mask):
        for layer, bias in zip(layers, biases, strict=True):
            own = mask if bias is None else _add_bias(mask, bias, x)
            x = layer(x, src_mask=own, src_key_padding_mask=padding_mask)
    return x


def _add_bias(mask: Tensor | None, bias: nn.Module, x: Tensor) -> Tensor:
    """Write a layer's position bias into its mask: `(B * H, S, S)`, floating."""
    length = x.shape[-2]
    added = bias(length, length).to(x.dtype)  # (H, S, S)
    sizes = (x.shape[0] if x.dim() == 3 else 1, *added.shape)  # B, H, S, S
    joined = merge_masks(added, join_head_masks(sizes, attn_mask=mask))
    assert joined is not None  # there is the bias
    return joined.expand(sizes).flatten(0, 1)


def takes_strategy(layer: nn.Module) -> bool:
    """Tell whether a layer's `forward` takes `strategy=` (see `attention.AttentionStrategy`).

    A class says so by an attribute, `takes_strategy = True`; a `forward` that overrides one which
    takes it needs the attribute again.
    """
    if "forward" in vars(layer):
        return False
    for kind in type(layer).__mro__:
        if "takes_strategy" in vars(kind):
            return bool(vars(kind)["takes_strategy"])
        if "forward" in vars(kind):
            return False
    return False


class _Watched(TorchFunctionMode):
    """A mode that does nothing; torch.nn's layers leave their fast path under any mode."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return func(*args, **(kwargs or {}))


class _SlowPath:
    """Turns torch.nn's fast path off; for `torch.compile`, which hides a mode from the layers.

    The compiler traces the assignments but not `set_fastpath_enabled`. Outside of a compiled call
    the switch stays as it is, since other threads would see it change.
    """

    def __enter__(self) -> None:
        self.before = mha._is_fastpath_enabled
        mha._is_fastpath_enabled = False

    def __exit__(self, *error: object) -> None:
        mha._is_fastpath_enabled = self.before


def _added(biased: bool, *masks: Tensor | None) -> AbstractContextManager[Any]:
    """Make `torch.nn`'s layers add a floating mask.

    On their fast path (no gradients, in eval mode) they read every number but 0 as "blocked".
    """
    floating = biased or any(mask is not None and mask.is_floating_point() for mask in masks)
    if not floating:
        return nullcontext()
    return _SlowPath() if torch.compiler.is_compiling() else _Watched()
