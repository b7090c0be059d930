"""How much an update computes, and which share of the device's peak that is.

Source: Kaplan et al. 2020, "Scaling Laws for Neural Language Models", section 2.1 and table 1 (two operations a
weight and token forward, twice that backward), with the products of attention and of the output layer added.
"""

from __future__ import annotations

import time

import torch

__all__ = ["matmul_peak", "training_flops"]


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
    layer = 2 * (4 * d_model**2 + 2 * d_model * dim_feedforward + 2 * length * d_model)
    head = 2 * (d_model**2 + d_model * vocab_size)
    return round(3 * tokens * (num_layers * layer + predicted * head))


@torch.no_grad()
def matmul_peak(device: torch.device, dtype: torch.dtype, size: int = 0, rounds: int = 5) -> float:
    """Measure the best rate of a square product, in floating-point operations a second.

    `size` is the side of the matrices; chosen for the device where it is 0.
    """
    size = size or (8192 if device.type == "cuda" else 1536)
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    best = float("inf")
    for _ in range(rounds + 1):  # the first warms up
        _wait(device)
        began = time.perf_counter()
        a @ b
        _wait(device)
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
