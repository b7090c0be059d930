"""Stacks of encoder layers to train from scratch, of this package's layers or of anybody's.

A layer from outside, such as `torch.nn`'s or the reader's own, takes less than this package's. What
it can't take is done around it where that is possible, and refused with a sentence where it isn't.

Sources: Xiong et al. 2020, "On Layer Normalization in the Transformer Architecture", figure 1 (the
last normalisation of a pre-norm stack); pytorch issue 86274 (each layer with its own weights).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from encoder_core.activations import Activation
from encoder_core.encoder import TransformerEncoder, TransformerEncoderLayer
from encoder_core.models.position_choice import PositionChoice, read_positions
from encoder_core.multihead import MultiheadAttention
from encoder_core.stack import run_layers

__all__ = ["LayerMaker", "fresh_encoder"]

# `layer(d_model, nhead, dim_feedforward, dropout=..., norm_first=...)` returns a module that is
# called as `layer(x, src_mask=..., src_key_padding_mask=...)`; a class is such a function.
LayerMaker = Callable[..., nn.Module]


def fresh_encoder(
    num_layers: int,
    d_model: int,
    nhead: int,
    dim_feedforward: int,
    dropout: float = 0.1,
    activation: str | Activation | None = None,
    norm_first: bool = True,
    layer_norm_eps: float = 1e-5,
    *,
    positions: str = "none",
    layer: LayerMaker = TransformerEncoderLayer,
) -> TransformerEncoder:
    """Build a stack in which each layer has its own random weights.

    `TransformerEncoder(layer, n)` copies one layer instead, as `torch.nn` does. A pre-norm stack
    gets a final LayerNorm.

    Args:
        activation: GELU by default; of a layer from outside its own, and another only where it
            takes `activation=`.
        layer_norm_eps: a layer from outside that does not take it keeps its own.
        positions: see `position_choice`; what is added to the token vectors is left to the model.
            The bias of the scores is in `self_attn.position_bias`. A layer whose `self_attn` is
            not this package's gets it as a floating `src_mask` `(B * H, S, S)`; then the stack
            holds the tables, in `position_biases`.
        layer: makes a layer; see `LayerMaker`.

    Raises:
        ValueError: H does not divide D; an unknown activation or kind of positions; an activation,
            or positions, that a layer from outside can't take.

    >>> stack = fresh_encoder(2, 8, 2, 16, positions="relative", layer=nn.TransformerEncoderLayer)
    >>> stack(torch.randn(3, 5, 8)).shape, stack.position_biases[0].table.shape
    (torch.Size([3, 5, 8]), torch.Size([2, 257]))
    """
    choice = read_positions(positions)
    sizes = (d_model, nhead, dim_feedforward)
    how = {"dropout": dropout, "norm_first": norm_first, **_more(layer, activation, layer_norm_eps)}
    layers = [layer(*sizes, **how) for _ in range(num_layers)]
    biases = [_place(choice, made, d_model, nhead) for made in layers]
    norm = nn.LayerNorm(d_model, eps=layer_norm_eps) if norm_first else None
    outside = any(bias is not None for bias in biases)
    return TransformerEncoder.from_layers(layers, norm, biases if outside else None)


def _more(
    layer: LayerMaker, activation: str | Activation | None, layer_norm_eps: float
) -> dict[str, Any]:
    """Choose the arguments that not every layer takes."""
    if isinstance(layer, type) and issubclass(layer, TransformerEncoderLayer):
        return {"activation": activation or "gelu", "layer_norm_eps": layer_norm_eps}
    takes = inspect.signature(layer).parameters
    if activation is not None and "activation" not in takes:
        raise ValueError(
            f"{_name(layer)} takes no activation=, so activation={activation!r} cannot be passed "
            "on: it has its own. Leave activation out."
        )
    offered = {"activation": activation, "layer_norm_eps": layer_norm_eps, "batch_first": True}
    return {name: v for name, v in offered.items() if name in takes and v is not None}


def _place(choice: PositionChoice, layer: nn.Module, d_model: int, nhead: int) -> nn.Module | None:
    """Put positions into a layer's attention, or return the bias that has to be a mask."""
    attention = getattr(layer, "self_attn", None)
    if isinstance(attention, MultiheadAttention):
        attention.rotary = choice.make_rotary(d_model // nhead) or attention.rotary
        attention.position_bias = choice.make_bias(nhead) or attention.position_bias
        return None
    if choice.turned:
        raise ValueError(
            f"positions='rotary' turns queries and keys inside of the attention, and that of "
            f"{_name(type(layer))} is not this package's MultiheadAttention. Choose other "
            "positions, or a layer whose self_attn is one."
        )
    bias = choice.make_bias(nhead)
    if bias is not None:
        _require_floating_masks(layer, d_model, nhead)
    return bias


def _require_floating_masks(layer: nn.Module, d_model: int, nhead: int) -> None:
    """Try a layer on two texts: a floating mask that is the same everywhere changes nothing."""
    like = next(layer.parameters(), torch.empty(0))
    if like.is_meta:
        return
    training, why = layer.training, "the mask's values are not added to its scores"
    x = torch.linspace(-1, 1, 4 * d_model, device=like.device, dtype=like.dtype)
    x = x.reshape(2, 2, d_model)
    padding = torch.tensor([[False, False], [False, True]], device=like.device)
    same = torch.full((2 * nhead, 2, 2), 0.5).to(x)
    try:
        with torch.no_grad():
            plain = run_layers([layer.eval()], x, None, padding)[~padding]
            masked = run_layers([layer], x, same, padding)[~padding]
        if torch.allclose(plain, masked, atol=1e-2):
            return
    except (TypeError, ValueError, RuntimeError) as error:
        why = f"it raises {type(error).__name__}: {error}"
    finally:
        layer.train(training)
    raise ValueError(
        f"These positions are added to the scores, so {_name(type(layer))} gets them as a floating "
        f"src_mask (B * H, S, S), as torch.nn's layers take it; but {why}. Choose sinusoidal, "
        "learned or none, or let the layer add a floating mask."
    )


def _name(layer: Any) -> str:
    return getattr(layer, "__name__", type(layer).__name__)
