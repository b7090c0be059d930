"""How much an update computes.

Source: Kaplan et al. 2020, "Scaling Laws for Neural Language Models", section 2.1 and table 1 (two operations a
weight and token forward, twice that backward), with the products of attention and of the output layer added.
"""

from __future__ import annotations

from encoder_core.inspect.costs import layer_costs

__all__ = ["training_flops"]


def training_flops(
    tokens: int,
    length: int,
    d_model: int,
    num_layers: int,
    dim_feedforward: int,
    vocab_size: int,
    predicted: float,
) -> int:
    """Return the floating-point operations of the products of an update on so many tokens.

    A multiply-add counts as two. Forward once, backward twice that. Embedding, norms, softmax and activations are
    left out: they are no products.

    Args:
        predicted: share of the tokens at which the output layer is computed.

    >>> training_flops(tokens=1, length=1, d_model=1, num_layers=1, dim_feedforward=1, vocab_size=1, predicted=1.0)
    60
    """
    costs = layer_costs(
        1, length, d_model, 1, dim_feedforward
    )  # the number of heads changes no product
    layer = sum(cost.flops for cost in costs) // length  # a token's
    head = 2 * (d_model**2 + d_model * vocab_size)
    return round(3 * tokens * (num_layers * layer + predicted * head))
