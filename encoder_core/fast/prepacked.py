"""A layer that reads weights laid out for inference: the same numbers, sooner.

`layouts` holds the two ways to lay a weight out, and what they gain. Which one serves is set for
few tokens and for many apart, since what pays for one short text may not for a batch.

That is for inference alone: the laid-out weights are copies, and know no gradients. They are kept
beside the layer, not in it, so that its state dict and its copies are those of any other. Where a
layer is not one that they suit, it computes as it always did.

Source: as in `layouts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.nn.modules.module import _has_any_global_hook

from encoder_core.attention import merge_heads
from encoder_core.checks import has_values
from encoder_core.fast.layouts import BlockedLinear, Layout, TransposedLinear
from encoder_core.fast.packing import Packing
from encoder_core.masks import join_head_masks

if TYPE_CHECKING:
    from encoder_core.encoder import TransformerEncoderLayer
    from encoder_core.multihead import MultiheadAttention

__all__ = ["PrepackedLayer", "can_prepack"]

Linears = list[BlockedLinear | TransposedLinear]  # the four of a layer, in their order
FEW = 128  # tokens; a product of more rows reads each weight too often for the order to matter


def can_prepack(layer: nn.Module) -> bool:
    """Tell whether a layer is one that `PrepackedLayer` can stand in for.

    Args:
        layer: any module.

    Returns:
        True for an encoder layer in float32 on the CPU whose parts are torch's own.

    >>> can_prepack(nn.Linear(2, 2))
    False
    """
    parts = [getattr(layer, name, None) for name in ("linear1", "linear2", "norm1", "norm2")]
    attention = getattr(layer, "self_attn", None)
    if [type(part) for part in parts] != [nn.Linear, nn.Linear, nn.LayerNorm, nn.LayerNorm]:
        return False
    if type(getattr(attention, "out_proj", None)) is not nn.Linear:
        return False
    floats = all(p.dtype == torch.float32 and p.device.type == "cpu" for p in layer.parameters())
    plain = not any(p.is_inference() for p in layer.parameters())  # see `_version`
    return floats and plain


class PrepackedLayer:
    """What stands in for an encoder layer's own pass in inference; `use_fast_cpu` sets it.

    Args:
        few: how weights are laid out for a call of at most `FEW` tokens; None leaves such a call
            to the layer itself.
        many: the same for a call of more.

    Changed weights are seen: those of an optimizer's step, of `load_state_dict`, of anything that
    torch counts. It does not count writes through `weight.data` and the steps of its fused
    optimizers; so the laid-out weights are also forgotten whenever the layer computes with
    gradients or in training. Who writes to `weight.data` otherwise calls `use_fast_cpu` again.

    Shapes: as `TransformerEncoderLayer`. Copying or pickling it gives None.

    >>> from encoder_core import TransformerEncoderLayer
    >>> layer, x = TransformerEncoderLayer(8, 2, 16).eval(), torch.randn(3, 5, 8)
    >>> expected, fast = layer(x), PrepackedLayer(few=TransposedLinear)
    >>> with torch.inference_mode():
    ...     fast.serves(layer, x) and torch.allclose(fast.encode(layer, x), expected, atol=1e-5)
    True
    """

    def __init__(self, few: Layout | None = None, many: Layout | None = None) -> None:
        self.few, self.many = few, many
        self._forget()

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy of a layer, or a pickled one, starts without."""
        return type(None), ()

    def _forget(self) -> None:
        self._seen: list[tuple[int, int, int]] = []
        self._suits = False
        # Kept here, since asking a module for a parameter takes as long as a small operation.
        self._linears: dict[Layout, Linears] = {}
        self._norms: list[tuple[nn.LayerNorm, Tensor, Tensor | None]] = []

    def serves(self, layer: TransformerEncoderLayer, src: Tensor) -> bool:
        """Tell whether this call is one to stand in for, and lay the weights out where it is.

        It is not where gradients may be wanted, something is dropped, another precision was asked
        for, the operations are traced or transformed, or someone listens at a part of the layer
        that is passed over here.

        >>> from encoder_core import TransformerEncoderLayer
        >>> PrepackedLayer().serves(TransformerEncoderLayer(8, 2, 16), torch.ones(1, 3, 8))
        False
        """
        if torch.is_grad_enabled() or layer.training:
            self._forget()
            return False
        if torch.is_autocast_enabled("cpu") or _recorded(src):
            return False
        # Someone, such as `record`, listens at every module:
        if _has_any_global_hook():  # type: ignore[no-untyped-call]
            return False
        if src.dtype != torch.float32 or src.device.type != "cpu" or src.dim() != 3:
            return False
        layout = self._layout(src)
        if layout is None:
            return False
        attention = layer._modules["self_attn"]
        parts = [*layer._modules.values(), *attention._modules.values()]  # type: ignore[union-attr]
        values: list[Tensor] = []
        for part in filter(None, parts):
            if part._forward_hooks or part._forward_pre_hooks:
                return False
            if part._parameters:
                values += [p for p in part._parameters.values() if p is not None]
            elif part.training:  # a dropout
                return False
        try:
            src.data_ptr()
            seen = [(id(p), p.data_ptr(), _version(p)) for p in values]  # changes with a weight
        except RuntimeError:  # within torch.func, where tensors are no memory of their own
            return False
        if seen != self._seen:
            self._forget()
            self._seen, self._suits = seen, can_prepack(layer)
        if self._suits and layout not in self._linears:
            self._linears[layout] = [layout(weight, bias) for weight, bias in _weights(layer)]
            self._norms = [(n, n.weight, n.bias) for n in (layer.norm1, layer.norm2)]
        return self._suits and src.numel() > 0

    def _layout(self, src: Tensor) -> Layout | None:
        return self.few if src.shape[0] * src.shape[1] <= FEW else self.many

    def encode(
        self,
        layer: TransformerEncoderLayer,
        src: Tensor,
        src_mask: Tensor | Packing | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Encode `(B, S, D)`, as the layer's `forward` does; where `serves` has said yes.

        >>> from encoder_core import TransformerEncoderLayer
        >>> layer, x = TransformerEncoderLayer(8, 2, 16).eval(), torch.ones(1, 3, 8)
        >>> with torch.inference_mode():
        ...     fast = PrepackedLayer(few=TransposedLinear)
        ...     fast.encode(layer, x).shape if fast.serves(layer, x) else x.shape
        torch.Size([1, 3, 8])
        """
        mask, attention, shape = src_mask, layer.self_attn, src.shape
        if not isinstance(mask, Packing):
            sizes = (shape[0], attention.num_heads, shape[1], shape[1])
            mask = join_head_masks(sizes, src_key_padding_mask, mask, is_causal, src.device)
        first, second = self._norms
        linears = self._linears[cast(Layout, self._layout(src))]
        x = src.flatten(0, 1)  # (B * S, D): the products are quickest there
        if layer.norm_first:
            x = _attend(attention, linears, _norm(x, *first), x, mask, shape)
            x = _feed_forward(layer, linears, _norm(x, *second), x)
        else:
            x = _norm(_attend(attention, linears, x, x, mask, shape), *first)
            x = _norm(_feed_forward(layer, linears, x, x), *second)
        return x.view(shape)


def _attend(
    attention: MultiheadAttention,
    linears: Linears,
    x: Tensor,
    residual: Tensor,
    mask: Tensor | Packing | None,
    shape: torch.Size,
) -> Tensor:
    """Return the attention's output plus the residual, `(B * S, D)`."""
    parts = linears[0](x)  # (B * S, 3D)
    parts = parts.view(shape[0], shape[1], 3, attention.num_heads, -1)  # (B, S, 3, H, Dh)
    q, k, v = parts.permute(2, 0, 3, 1, 4).unbind()  # (B, H, S, Dh) each
    heads, _ = attention.attend(q, k, v, mask)  # (B, H, S, Dh)
    return linears[1].plus(residual, merge_heads(heads).flatten(0, 1))  # (B * S, D)


def _feed_forward(
    layer: TransformerEncoderLayer, linears: Linears, x: Tensor, residual: Tensor
) -> Tensor:
    """Return the network's output plus the residual, `(B * S, D)`."""
    return linears[3].plus(residual, linears[2](x, layer.activation))  # (B * S, F) within


def _recorded(src: Tensor) -> bool:
    """Tell whether the operations are looked at by a tracer, or by derivatives in forward mode."""
    forward_mode = getattr(forward_ad, "_current_level", -1) >= 0
    traced = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    return forward_mode or traced or not has_values(src)


def _version(weight: Tensor) -> int:
    """How often it was written to; those made in inference mode don't count."""
    return -1 if weight.is_inference() else weight._version


def _weights(layer: TransformerEncoderLayer) -> list[tuple[Tensor, Tensor | None]]:
    """The weights and biases of a layer's four products, in their order."""
    attention, parts = layer.self_attn, (layer.self_attn.out_proj, layer.linear1, layer.linear2)
    first = (attention.in_proj_weight, attention.in_proj_bias)
    return [first, *((part.weight, part.bias) for part in parts)]


def _norm(x: Tensor, norm: nn.LayerNorm, weight: Tensor, bias: Tensor | None) -> Tensor:
    return torch.layer_norm(x, norm.normalized_shape, weight, bias, norm.eps)
