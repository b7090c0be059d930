"""Two ways to lay out a linear layer's weight once, and the products that read it so.

`F.linear` reads `weight` as it is trained, `(out, in)`, and reorders it for the CPU's registers
and caches in every call. For a long batch that is little beside the product itself; for one short
text it is a quarter of it. Which layout pays depends on the chip, the sizes and the number of
rows, so `use_fast_cpu` measures. Neither layout computes gradients.

Source: torch/_inductor/fx_passes/mkldnn_fusion.py, in PyTorch; oneDNN's developer guide,
"Inner Product", on weights in the format `any`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from encoder_core.activations import Activation

__all__ = ["BlockedLinear", "Layout", "TransposedLinear"]

# What oneDNN's operation calls an activation, and which form of it.
_ACTIVATIONS: dict[Any, tuple[str, str]] = {F.relu: ("relu", ""), F.gelu: ("gelu", "none")}
# The same in place: new memory of that size would be fetched from the system, page by page.
_IN_PLACE: dict[Any, Callable[[Tensor], Tensor]] = {
    F.relu: torch.relu_,
    F.gelu: torch.ops.aten.gelu_,
}


class BlockedLinear:
    """A linear layer `(rows, in)` to `(rows, out)` that reads its weight in oneDNN's blocks.

    The bias, the activation (ReLU, GELU) or the residual are added to each block while it is in
    the cache; the plain layer makes another pass over memory for each. The operations are
    torch's own but private (`torch.compile` uses them); only this class calls them. `weight` is
    float32 on the CPU, and copied.
    """

    name = "in oneDNN's blocks"

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self.weight: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.detach().clone())
        self.bias = bias

    @staticmethod
    def known() -> bool:
        """Tell whether this torch has the operations."""
        backend: Any = torch.backends.mkldnn  # oneDNN's former name
        names = ("_linear_pointwise", "_reorder_linear_weight")
        return bool(backend.is_available()) and all(hasattr(torch.ops.mkldnn, n) for n in names)

    def __call__(self, x: Tensor, activation: Activation | None = None) -> Tensor:
        """Compute `activation(x @ weight.T + bias)`, `(rows, out)`, in one pass where it can."""
        name, form = _ACTIVATIONS.get(activation, ("none", ""))
        output: Tensor = torch.ops.mkldnn._linear_pointwise(
            x, self.weight, self.bias, name, [], form
        )
        return output if activation is None or activation in _ACTIVATIONS else activation(output)

    def plus(self, residual: Tensor, x: Tensor) -> Tensor:
        """Compute `residual + x @ weight.T + bias`, `(rows, out)`, in one pass."""
        add: Any = torch.ops.mkldnn._linear_pointwise.binary
        output: Tensor = add(x, residual, self.weight, self.bias, "add")
        return output


class TransposedLinear:
    """A linear layer `(rows, in)` to `(rows, out)` that keeps its weight as `(in, out)`.

    It changes its own results in place, with fewer passes over memory than the plain layer.
    `weight` is copied.

    >>> weight, bias, x = torch.randn(3, 5), torch.randn(3), torch.randn(2, 5)
    >>> made = TransposedLinear(weight, bias)(x, F.relu)
    >>> torch.allclose(made, F.relu(F.linear(x, weight, bias)), atol=1e-5)
    True
    """

    name = "transposed"

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self.weight = weight.detach().t().contiguous()  # (out, in) -> (in, out)
        self.bias = bias

    def __call__(self, x: Tensor, activation: Activation | None = None) -> Tensor:
        """Compute `activation(x @ weight.T + bias)`, `(rows, out)`."""
        output = torch.mm(x, self.weight)
        if self.bias is not None:
            output.add_(self.bias)
        if activation is None:
            return output
        return _IN_PLACE.get(activation, activation)(output)

    def plus(self, residual: Tensor, x: Tensor) -> Tensor:
        """Compute `residual + x @ weight.T + bias`, `(rows, out)`."""
        start = residual.clone() if self.bias is None else residual + self.bias
        return start.addmm_(x, self.weight)


Layout = type[BlockedLinear] | type[TransposedLinear]
