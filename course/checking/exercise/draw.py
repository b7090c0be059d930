"""Drawing inputs: everything comes from one seeded generator, in float64."""

from __future__ import annotations

import torch
from torch import Tensor


class Draw:
    """Random inputs of unit scale. The generator is its own: torch's global one is left alone."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(7919 * seed + 12345)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal float64 values, rounded so that float32 holds them exactly."""
        return torch.randn(*shape, generator=self.generator, dtype=torch.float64).float().double()

    def weights(self, *shape: int, zeros: float = 0.0) -> Tensor:
        """Rows that sum to 1, each entry 0 with probability `zeros` (never a whole row)."""
        raw = torch.rand(*shape, generator=self.generator, dtype=torch.float64) + 0.05
        blocked = (
            self.mask(*shape, blocked=zeros) if zeros else torch.zeros(*shape, dtype=torch.bool)
        )
        raw = raw.masked_fill(blocked, 0.0)
        return raw / raw.sum(-1, keepdim=True)

    def mask(self, *shape: int, blocked: float = 0.4) -> Tensor:
        """Boolean, True with probability `blocked`; in every row at least one False and one True."""
        length = shape[-1]
        mask = torch.rand(*shape, generator=self.generator) < blocked
        if length > 1:
            free = torch.randint(length, shape[:-1], generator=self.generator)
            taken = (
                free + 1 + torch.randint(length - 1, shape[:-1], generator=self.generator)
            ) % length
            mask.scatter_(-1, free.unsqueeze(-1), False)
            mask.scatter_(-1, taken.unsqueeze(-1), True)
        return mask
