"""Layers whose residual and norms can be left out, with weights that a seed and a name make.

A layer's weights depend on the seed, its place in the stack, d_model and the initialisation, and
on nothing else: what is compared differs in one thing alone.

Sources: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural
networks", equation 16; Devlin et al. 2019 and the code published with it (`initializer_range`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor, nn

from course.labs.stack.settings import Settings
from encoder_core.encoder import TransformerEncoderLayer

Weights = dict[str, Tensor]
_DRAW: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "xavier": lambda matrix, draw: nn.init.xavier_uniform_(matrix, generator=draw),
    "normal": lambda matrix, draw: nn.init.normal_(matrix, std=0.02, generator=draw),
    "large": lambda matrix, draw: nn.init.normal_(matrix, generator=draw),
}


class StackLayer(TransformerEncoderLayer):
    """An encoder layer whose residuals and norms can be switched off; F is four times D.

    Args:
        d_model: D.
        nhead: H.

    Shapes: `(B, S, D)` to `(B, S, D)`.
    """

    def __init__(self, d_model: int, nhead: int) -> None:
        super().__init__(d_model, nhead, 4 * d_model, dropout=0.0, device="meta")
        self.has_residual = self.has_norm = True

    def become(self, settings: Settings) -> StackLayer:
        """Take over all that does not concern the weights."""
        self.has_residual, self.has_norm = settings.residual, settings.layer_norm
        self.norm_first = settings.norm_first
        attention = self.self_attn
        attention.num_heads = settings.heads
        attention.head_dim = settings.d_model // settings.heads
        for dropout in (self.dropout, self.dropout1, self.dropout2):
            dropout.p = settings.dropout
        attention.dropout = settings.dropout
        dropping = settings.dropout > 0
        return self if self.training == dropping else self.train(dropping)

    def forward(  # type: ignore[override]  # it takes no strategy
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Encode `(B, S, D)`; see `TransformerEncoderLayer`. Masks are not needed here."""
        x = self._around(src, self._attend, self.norm1)
        return self._around(x, self._feed_forward, self.norm2)

    def _attend(self, x: Tensor) -> Tensor:
        attended: Tensor = self.dropout1(self.self_attn(x, x, x)[0])
        return attended

    def _around(self, x: Tensor, sublayer: Callable[[Tensor], Tensor], norm: nn.Module) -> Tensor:
        made = sublayer(norm(x) if self.norm_first and self.has_norm else x)
        whole = x + made if self.has_residual else made
        return norm(whole) if self.has_norm and not self.norm_first else whole


def stack_of(settings: Settings) -> list[StackLayer]:
    """The reference's layers, with gradients, on the CPU; the next call takes them over."""
    layers = []
    for number in range(settings.depth):
        layer, weights = _blank(settings.d_model, number), weights_of(settings, number)
        for name, parameter in layer.named_parameters():
            parameter.data = weights[name]
        layers.append(layer.become(settings))
    return layers


def weights_of(settings: Settings, number: int) -> Weights:
    """The state dict of layer `number`, with the names of `torch.nn.TransformerEncoderLayer`."""
    return _drawn(settings.d_model, settings.initialisation, settings.seed, number)


@lru_cache(maxsize=24)
def _drawn(d_model: int, initialisation: str, seed: int, number: int) -> Weights:
    """One layer's weights, drawn anew. torch's global generator is left as it was."""
    draw = torch.Generator().manual_seed(1_009 * seed + number)
    weights: Weights = {}
    for name, parameter in _blank(d_model, number).named_parameters():
        made = torch.empty_like(parameter, requires_grad=False)
        if made.dim() > 1:
            weights[name] = _DRAW[initialisation](made, draw)
        else:
            weights[name] = made.fill_("norm" in name and name.endswith("weight"))
    if initialisation == "xavier":
        _draw_biases(weights, draw)
    return weights


def _draw_biases(weights: Weights, draw: torch.Generator) -> None:
    """The network's biases as `torch.nn.Linear` draws them and `torch.nn.Transformer` leaves them.

    Without them a stack of bare layers would shrink what goes up as fast as what comes down, and
    the gradients of its matrices, which are products of the two, would look level.
    """
    for name in ("linear1", "linear2"):
        bound = weights[f"{name}.weight"].shape[1] ** -0.5
        weights[f"{name}.bias"].uniform_(-bound, bound, generator=draw)


@lru_cache(maxsize=24)
def _blank(d_model: int, number: int) -> StackLayer:
    """A layer to be filled with weights: building one takes longer than drawing them."""
    return StackLayer(d_model, 1).to_empty(device="cpu")
