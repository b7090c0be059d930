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
_DRAW: dict[str, Callable[[Tensor], Tensor]] = {
    "xavier": nn.init.xavier_uniform_,
    "normal": lambda matrix: nn.init.normal_(matrix, std=0.02),
    "large": nn.init.normal_,
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
        return self.train(settings.dropout > 0)

    def forward(
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
    """The reference's layers, with gradients, on the CPU."""
    same = (settings.d_model, settings.initialisation, settings.seed)
    return [_layer(*same, number).become(settings) for number in range(settings.depth)]


def weights_of(settings: Settings, number: int) -> Weights:
    """The state dict of layer `number`, with the names of `torch.nn.TransformerEncoderLayer`."""
    layer = _layer(settings.d_model, settings.initialisation, settings.seed, number)
    return {name: value.detach() for name, value in layer.state_dict().items()}


@lru_cache(maxsize=24)
def _layer(d_model: int, initialisation: str, seed: int, number: int) -> StackLayer:
    """One layer, drawn anew. torch's global generator is left as it was."""
    layer = StackLayer(d_model, 1).to_empty(device="cpu")
    with torch.random.fork_rng(devices=()), torch.no_grad():
        torch.manual_seed(1_009 * seed + number)
        for name, parameter in layer.named_parameters():
            if parameter.dim() > 1:
                _DRAW[initialisation](parameter)
            elif "norm" in name and name.endswith("weight"):
                nn.init.ones_(parameter)
            else:
                nn.init.zeros_(parameter)
    return layer
