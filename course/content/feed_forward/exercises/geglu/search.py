"""What a gated network makes of one neuron: by its gate, by what is gated, by the way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from course.checking.exercise import Case
from course.checking.exercise.wording import rows_told_apart, same

_GATES = (-2.0, -1.0, 0.0, 1.0, 2.0)


def finds(function: Callable[..., Tensor], failed: Sequence[Case]) -> list[str]:
    """One number x = 1 and one neuron, so that each matrix is a number."""

    def neuron(gate: float, up: float, down: float) -> Tensor:
        numbers = [torch.tensor([[n]], dtype=torch.float64) for n in (1.0, gate, up, down)]
        return function(*numbers).flatten()

    made = torch.cat([neuron(gate, 1.0, 1.0) for gate in _GATES])
    wanted = torch.nn.functional.gelu(torch.tensor(_GATES, dtype=torch.float64))
    if made.shape == wanted.shape and not same(made, wanted):
        gates = ", ".join(f"{n:.3g}" for n in _GATES)
        came, right = rows_told_apart(made.tolist(), wanted.tolist())
        return [
            f"one neuron whose x W_gate is {gates}, all else being 1, gives {came}, and should give {right}"
        ]
    once = neuron(2.0, 1.0, 1.0)
    for name, tripled in (("w_up", neuron(2.0, 3.0, 1.0)), ("w_down", neuron(2.0, 1.0, 3.0))):
        factor = (tripled / once).item()
        if abs(factor - 3.0) > 1e-6:
            return [
                f"when {name} becomes 3 times as large, a neuron's result becomes {factor:.4g} times as large, "
                "and should become 3 times as large"
            ]
    return []
