"""The feed-forward network: each token by itself, widened, activated, and narrowed again.

Functions in the papers' notation (row vectors, `x W`) stand beside the modules that hold the
weights, as `nn.Linear` does, transposed (`x W^T`).

Sources: Vaswani et al. 2017, "Attention Is All You Need", section 3.3, equation 2, and section 5.4
(dropout); Shazeer 2020, "GLU Variants Improve Transformer", section 2, equations 5 and 6.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from encoder_core.activations import Activation, activation_function, gelu, relu

# `feed_forward` has its file's name, which would hide the file in the package: it is not listed.
__all__ = ["FeedForward", "GatedFeedForward", "geglu", "swiglu"]


def feed_forward(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    """Compute `max(0, x W1 + b1) W2 + b2`, equation 2 of the original paper.

    x `(..., D)` with W1 `(D, F)` and W2 `(F, D)` to `(..., D)`.

    >>> x, one = torch.tensor([[1.0, -2.0]]), torch.eye(2)
    >>> feed_forward(x, one, torch.zeros(2), one, torch.ones(2))
    tensor([[2., 1.]])
    """
    return relu(x @ w1 + b1) @ w2 + b2  # (..., D) -> (..., F) -> (..., D)


def geglu(x: Tensor, w_gate: Tensor, w_up: Tensor, w_down: Tensor) -> Tensor:
    """Compute `(gelu(x W_gate) * (x W_up)) W_down`: one path gates the other (Shazeer, equation 6).

    x `(..., D)` with W_gate and W_up `(D, F)` and W_down `(F, D)` to `(..., D)`.

    >>> one = torch.eye(1)
    >>> geglu(torch.tensor([[1.0]]), one, 2 * one, one)
    tensor([[1.6827]])
    """
    return (gelu(x @ w_gate) * (x @ w_up)) @ w_down  # (..., D) -> (..., F) -> (..., D)


def swiglu(x: Tensor, w_gate: Tensor, w_up: Tensor, w_down: Tensor) -> Tensor:
    """Compute `(swish(x W_gate) * (x W_up)) W_down`, where `swish(x) = x * sigmoid(x)`.

    Shapes and source as in `geglu`.

    >>> one = torch.eye(1)
    >>> swiglu(torch.tensor([[1.0]]), one, 2 * one, one)
    tensor([[1.4621]])
    """
    gate = x @ w_gate  # (..., F)
    return (gate * torch.sigmoid(gate) * (x @ w_up)) @ w_down  # (..., F) -> (..., D)


class FeedForward(nn.Module):
    """The network of `feed_forward` with weights of its own and dropout.

    Args:
        activation: see `activation_function`.
        dropout: on the output, before it is added to the residual, where the paper has it.
        activation_dropout: after the activation, where `torch.nn` and tensor2tensor also have it.

    Shapes: `(..., D)` to `(..., D)`. State-dict keys as in an encoder layer: `linear1.weight`
    `(F, D)`, `linear1.bias`, `linear2.weight` `(D, F)`, `linear2.bias`.

    Raises:
        ValueError: an unknown activation, or a dropout outside of [0, 1].
    """

    def __init__(
        self,
        d_model: int,
        dim_feedforward: int,
        activation: str | Activation = "relu",
        dropout: float = 0.1,
        activation_dropout: float = 0.0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.activation = activation_function(activation)
        self.linear1 = nn.Linear(d_model, dim_feedforward, bias=bias)
        self.activation_dropout = nn.Dropout(activation_dropout)
        self.linear2 = nn.Linear(dim_feedforward, d_model, bias=bias)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Send each token through by itself: `(..., D)` to `(..., D)`."""
        inner = self.activation_dropout(self.activation(self.linear1(x)))  # (..., F)
        output: Tensor = self.dropout(self.linear2(inner))  # (..., D)
        return output


class GatedFeedForward(nn.Module):
    """The network of `geglu` (or `swiglu`) with weights of its own and dropout.

    Gate and up-projection are one matrix, so that one product does the work of two; its first F
    rows are the gate. With F two thirds of what it would be, it has as many weights as
    `FeedForward` without biases (Shazeer 2020, section 3.1).

    Args:
        activation: `"gelu"` for GEGLU, `"silu"` for SwiGLU, or another of `activation_function`.
        dropout: on the output, before it is added to the residual.
        activation_dropout: on the gated product, where T5 1.1 has it in fine-tuning.
        bias: give both linear layers a bias; the paper has none.

    Shapes: `(..., D)` to `(..., D)`. State-dict keys: `linear1.weight` `(2F, D)`,
    `linear2.weight` `(D, F)`.

    Raises:
        ValueError: an unknown activation, or a dropout outside of [0, 1].
    """

    def __init__(
        self,
        d_model: int,
        dim_feedforward: int,
        activation: str | Activation = "gelu",
        dropout: float = 0.1,
        activation_dropout: float = 0.0,
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.activation = activation_function(activation)
        self.linear1 = nn.Linear(d_model, 2 * dim_feedforward, bias=bias)
        self.activation_dropout = nn.Dropout(activation_dropout)
        self.linear2 = nn.Linear(dim_feedforward, d_model, bias=bias)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Send each token through by itself: `(..., D)` to `(..., D)`."""
        gate, up = self.linear1(x).chunk(2, dim=-1)  # (..., 2F) -> (..., F) each
        inner = self.activation_dropout(self.activation(gate) * up)  # (..., F)
        output: Tensor = self.dropout(self.linear2(inner))  # (..., D)
        return output
