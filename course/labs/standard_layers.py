"""A trained model with `encoder_core`'s layers in the place of others that compute the same."""

from __future__ import annotations

import copy
from typing import Any

from torch import nn

from encoder_core.encoder import TransformerEncoder, TransformerEncoderLayer
from encoder_core.multihead import MultiheadAttention

__all__ = ["with_standard_layers"]


def with_standard_layers(net: nn.Module, nhead: int = 4) -> nn.Module:
    """Return a copy whose heads can be recorded and cut out; `net` itself where they can already.

    Its layers are pre-norm, have the state dict of torch's, as the answer to "stacking.EncoderLayer"
    has, and `nhead` heads, unless their position biases tell another number. The copy is in eval mode.
    """
    if any(isinstance(module, MultiheadAttention) for module in net.modules()):
        return net
    twin = copy.deepcopy(net)
    for encoder in [each for each in twin.modules() if isinstance(each, TransformerEncoder)]:
        _exchange(encoder, nhead)
    return twin.eval()


def _exchange(encoder: Any, nhead: int) -> None:
    """Put standard layers, with the same weights and position biases, into a stack."""
    biases = encoder.position_biases
    for i, layer in enumerate(encoder.layers):
        bias = None if biases is None else biases[i]
        table = getattr(bias, "table", None)
        heads = nhead if table is None else table.shape[0]
        d_model, dim_feedforward = layer.linear1.in_features, layer.linear1.out_features
        standard = TransformerEncoderLayer(d_model, heads, dim_feedforward, 0.0, norm_first=True)
        standard.load_state_dict(layer.state_dict())
        standard.self_attn.position_bias = bias
        encoder.layers[i] = standard
    encoder.position_biases = None
