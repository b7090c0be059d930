"""The activation between two linear layers: ReLU and GELU written out, and the fast ones by name.

Sources: Vaswani et al. 2017, "Attention Is All You Need", equation 2; Hendrycks and Gimpel 2016,
"Gaussian Error Linear Units", section 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["Activation", "activation_function", "gelu", "relu"]

Activation = Callable[[Tensor], Tensor]


def relu(x: Tensor) -> Tensor:
    """Keep what is positive: `max(0, x)`, x of any shape. The form to read; `F.relu` runs.

    >>> relu(torch.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """
    return torch.where(x > 0, x, torch.zeros_like(x))


def gelu(x: Tensor) -> Tensor:
    """Weigh x by the chance that a standard normal is below it. The form to read; `F.gelu` runs.

    `x * Phi(x)` for x of any shape, exact (through erf, not the tanh approximation).

    >>> gelu(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2


_ACTIVATIONS: dict[str, Activation] = {"relu": F.relu, "gelu": F.gelu, "silu": F.silu}


def activation_function(activation: str | Activation) -> Activation:
    """Turn `"relu"`, `"gelu"` (exact) or `"silu"` (swish) into the function that runs.

    A callable from a tensor to one of the same shape is returned unchanged.

    Raises:
        ValueError: an unknown name.
    """
    if callable(activation):
        return activation
    if activation not in _ACTIVATIONS:
        raise ValueError(
            f"activation must be one of {', '.join(map(repr, _ACTIVATIONS))} or a callable, "
            f"got {activation!r}."
        )
    return _ACTIVATIONS[activation]
