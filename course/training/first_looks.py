"""Where a model's heads look before the first update, so that it need not find that out.

Sources: Shaw et al. 2018, section 3.2, and Press et al. 2022, section 3 (the bias by distance).
"""

from __future__ import annotations

import torch
from torch import nn

from encoder_core.multihead import MultiheadAttention

__all__ = ["look_and_copy", "look_near"]


@torch.no_grad()
def look_near(stack: nn.Module, sides: tuple[int, ...]) -> None:
    """Start the position biases of a stack's heads beside the query: on `sides`, in turns.

    Their slopes are 1 in the first half of the heads and 1/4 in the second: exp(-1) of the weight is left one
    place further.
    """
    for module in stack.modules():
        table = getattr(module, "table", None)
        if not isinstance(table, nn.Parameter):
            continue
        nhead, far = table.shape[0], table.shape[1] // 2
        distance = torch.arange(-far, far + 1)  # (2 * far + 1,)
        for head in range(nhead):
            slope = 1.0 if head < (nhead + 1) // 2 else 0.25
            table[head] = -slope * (distance - sides[head % len(sides)]).abs()


@torch.no_grad()
def look_and_copy(attention: MultiheadAttention) -> None:
    """Start an attention's values and its output as the identity."""
    d_model = attention.embed_dim
    attention.in_proj_weight[2 * d_model :] = torch.eye(d_model)
    attention.out_proj.weight.copy_(torch.eye(d_model))
