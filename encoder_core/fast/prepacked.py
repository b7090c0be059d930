"""An encoder layer that reads weights laid out for inference: the same numbers, sooner.

`layouts` holds the two ways to lay a weight out. `prepack` chooses one for few tokens and one for
many: what pays for one short text may not for a batch.

A layer is prepacked by its class alone: `prepack` turns a `TransformerEncoderLayer` into a
`PrepackedLayer`, which overrides `forward`, and `undo_prepack` turns it back. State dict, training
and gradients are the layer's own; copies and files hold a plain `TransformerEncoderLayer`.

Source: as in `layouts`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.nn.modules.module import _has_any_global_hook

from encoder_core.attention import AttentionStrategy, merge_heads
from encoder_core.checks import has_values, require_width
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.fast.layouts import BlockedLinear, Layout, TransposedLinear
from encoder_core.masks import join_head_masks
from encoder_core.multihead import MultiheadAttention

__all__ = ["PrepackedLayer", "can_prepack", "prepack", "undo_prepack"]

Linears = list[BlockedLinear | TransposedLinear]  # the four of a layer, in their order
FEW = 128  # tokens; a product of more rows reads each weight too often for the order to matter


def prepack(model: nn.Module, few: Layout | None = None, many: Layout | None = None) -> int:
    """Let a model's encoder layers read laid-out weights in inference; return the number of them.

    `few` is the layout for a call of at most `FEW` tokens, `many` for one of more; None leaves
    such a call to the plain layer. Layers that `can_prepack` refuses stay as they are.

    >>> layer, x = TransformerEncoderLayer(8, 2, 16).eval(), torch.randn(3, 5, 8)
    >>> expected, count = layer(x), prepack(layer, few=TransposedLinear)
    >>> with torch.inference_mode():
    ...     count, torch.allclose(layer(x), expected, atol=1e-5)
    (1, True)
    """
    layers = [layer for layer in model.modules() if can_prepack(layer)]
    for layer in layers:
        layer.__class__ = PrepackedLayer
        cast(PrepackedLayer, layer).laid_out = _LaidOut(few, many)
    return len(layers)


def undo_prepack(model: nn.Module) -> None:
    """Turn a model's prepacked layers into plain ones again."""
    for layer in model.modules():
        if isinstance(layer, PrepackedLayer):
            del layer.laid_out
            layer.__class__ = TransformerEncoderLayer  # type: ignore[assignment]


def can_prepack(layer: nn.Module) -> bool:
    """Tell whether a layer can read laid-out weights.

    True for a `TransformerEncoderLayer` in float32 on the CPU whose parts are this package's and
    torch's. A subclass may compute something else, and is left alone.
    """
    if type(layer) not in (TransformerEncoderLayer, PrepackedLayer):
        return False
    parts = [getattr(layer, name) for name in ("linear1", "linear2", "norm1", "norm2")]
    if [type(part) for part in parts] != [nn.Linear, nn.Linear, nn.LayerNorm, nn.LayerNorm]:
        return False
    attention = layer.self_attn
    if type(attention) is not MultiheadAttention or type(attention.out_proj) is not nn.Linear:
        return False
    floats = all(p.dtype == torch.float32 and p.device.type == "cpu" for p in layer.parameters())
    plain = not any(p.is_inference() for p in layer.parameters())  # see `_version`
    return floats and plain


@dataclass
class _LaidOut:
    """A layer's weights as they were last laid out."""

    few: Layout | None
    many: Layout | None
    seen: list[object] = field(default_factory=list)  # which parts and weights these are
    alive: list[Tensor] = field(default_factory=list)  # so that no other tensor takes their places
    suits: bool = False
    # Kept here, since asking a module for a parameter takes as long as a small operation.
    linears: dict[Layout, Linears] = field(default_factory=dict)
    norms: list[tuple[nn.LayerNorm, Tensor, Tensor | None]] = field(default_factory=list)

    def layout(self, src: Tensor) -> Layout | None:
        return self.few if src.shape[0] * src.shape[1] <= FEW else self.many

    def forget(self) -> None:
        self.seen, self.alive, self.suits, self.linears, self.norms = [], [], False, {}, []


class PrepackedLayer(TransformerEncoderLayer):
    """An encoder layer that reads laid-out weights in inference; `prepack` makes it of a plain one.

    It notices changed weights: those of an optimizer's step, of `load_state_dict`, of anything
    that torch counts. Torch does not count writes through `weight.data` and the steps of its fused
    optimizers, so the laid-out weights are also forgotten whenever the layer computes with
    gradients or in training. After writing to `weight.data` otherwise, call `prepack` again.

    Shapes: as `TransformerEncoderLayer`.

    >>> import copy
    >>> layer = TransformerEncoderLayer(8, 2, 16)
    >>> prepack(layer), type(layer).__name__, type(copy.deepcopy(layer)).__name__
    (1, 'PrepackedLayer', 'TransformerEncoderLayer')
    """

    takes_strategy = True
    laid_out: _LaidOut

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """Copy and pickle as a plain layer."""
        state = {name: value for name, value in self.__dict__.items() if name != "laid_out"}
        return object.__new__, (TransformerEncoderLayer,), state

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
        *,
        strategy: AttentionStrategy | None = None,
    ) -> Tensor:
        """Encode `(B, S, D)`; see `TransformerEncoderLayer.forward`."""
        if not self.serves(src):
            masks = (src_mask, src_key_padding_mask, is_causal)
            return super().forward(src, *masks, strategy=strategy)
        require_width("src", src, self.d_model)
        attention, shape = self.self_attn, src.shape
        sizes = (shape[0], attention.num_heads, shape[1], shape[1])  # B, H, S, S
        mask = join_head_masks(sizes, src_key_padding_mask, src_mask, is_causal, src.device)
        first, second = self.laid_out.norms
        linears = self.laid_out.linears[cast(Layout, self.laid_out.layout(src))]

        def attend(x: Tensor, residual: Tensor) -> Tensor:
            parts = linears[0](x)  # (B * S, 3D)
            parts = parts.view(shape[0], shape[1], 3, attention.num_heads, -1)  # (B, S, 3, H, Dh)
            q, k, v = parts.permute(2, 0, 3, 1, 4).unbind()  # (B, H, S, Dh) each
            heads, _ = attention.attend(q, k, v, mask, strategy=strategy)  # (B, H, S, Dh)
            return linears[1].plus(residual, merge_heads(heads).flatten(0, 1))  # (B * S, D)

        def feed_forward(x: Tensor, residual: Tensor) -> Tensor:
            return linears[3].plus(residual, linears[2](x, self.activation))  # (B * S, F) within

        x = src.flatten(0, 1)  # (B * S, D): the products are quickest there
        if self.norm_first:
            x = attend(_norm(x, *first), x)
            x = feed_forward(_norm(x, *second), x)
        else:
            x = _norm(attend(x, x), *first)
            x = _norm(feed_forward(x, x), *second)
        return x.view(shape)

    def serves(self, src: Tensor) -> bool:
        """Tell whether laid-out weights serve this call, and lay them out where they do.

        They don't where gradients may be wanted, something is dropped, another precision was asked
        for, the operations are traced or transformed, or a part that `forward` skips has a hook.
        """
        laid_out = self.laid_out
        if torch.is_grad_enabled() or self.training:
            laid_out.forget()
            return False
        if torch.is_autocast_enabled("cpu") or _recorded(src):
            return False
        # Someone, such as `record`, listens at every module:
        if _has_any_global_hook():  # type: ignore[no-untyped-call]
            return False
        if src.dtype != torch.float32 or src.device.type != "cpu" or src.dim() != 3:
            return False
        layout = laid_out.layout(src)
        if layout is None:
            return False
        attention = self._modules["self_attn"]
        every = [*self._modules.values(), *attention._modules.values()]  # type: ignore[union-attr]
        parts = [part for part in every if part is not None]
        if any(map(_acts, parts)):
            return False
        types = [type(part) for part in parts]
        values = [p for part in parts for p in part._parameters.values() if p is not None]
        try:
            src.data_ptr()
            # They change with a weight, and with a part that becomes another:
            seen = [*types, *((id(p), p.data_ptr(), _version(p)) for p in values)]
        except RuntimeError:  # within torch.func, where tensors are no memory of their own
            return False
        if seen != laid_out.seen:
            laid_out.forget()
            laid_out.seen, laid_out.suits = seen, can_prepack(self)
            laid_out.alive = [
                *values,
                *(value.detach() for value in values),
            ]  # detached: the memory
        if laid_out.suits and layout not in laid_out.linears:
            laid_out.linears[layout] = [layout(weight, bias) for weight, bias in _weights(self)]
            laid_out.norms = [(n, n.weight, n.bias) for n in (self.norm1, self.norm2)]
        return laid_out.suits and src.numel() > 0


def _recorded(src: Tensor) -> bool:
    """Tell whether a tracer, or derivatives in forward mode, look at the operations."""
    forward_mode = getattr(forward_ad, "_current_level", -1) >= 0
    traced = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    return forward_mode or traced or not has_values(src)


def _acts(part: nn.Module) -> bool:
    """Tell whether a part does something of its own when it is called: a hook, a patch, a dropout."""
    patched = "forward" in part.__dict__
    drops = part.training and not part._parameters
    return bool(part._forward_hooks or part._forward_pre_hooks) or patched or drops


def _version(weight: Tensor) -> int:
    """Return how often a weight was written to; torch does not count it for inference tensors."""
    return -1 if weight.is_inference() else weight._version


def _weights(layer: TransformerEncoderLayer) -> list[tuple[Tensor, Tensor | None]]:
    """The weights and biases of a layer's four products, in their order."""
    attention, parts = layer.self_attn, (layer.self_attn.out_proj, layer.linear1, layer.linear2)
    first = (attention.in_proj_weight, attention.in_proj_bias)
    return [first, *((part.weight, part.bias) for part in parts)]


def _norm(x: Tensor, norm: nn.LayerNorm, weight: Tensor, bias: Tensor | None) -> Tensor:
    return torch.layer_norm(x, norm.normalized_shape, weight, bias, norm.eps)
