"""What a decoder keeps between two tokens: the keys and values that it has already computed.

Without it, writing token t computes the t - 1 before it again, and a text of T tokens costs as
much as T texts. With it, each step computes one token; the numbers are the same.

Source: Shazeer 2019, "Fast Transformer Decoding: One Write-Head is All You Need", section 2.3
(incremental decoding with multi-head attention).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

__all__ = ["KeyValueCache", "LayerCache"]


@dataclass
class LayerCache:
    """Keys and values of one decoder layer.

    Attributes:
        key: of the target's tokens so far, `(B, H, T, Dh)`, as `value`; None before the first.
        memory_key: of the encoder's output, `(B, H, S, Dh)`, as `memory_value`; computed once, at
            the first step.
    """

    key: Tensor | None = None
    value: Tensor | None = None
    memory_key: Tensor | None = None
    memory_value: Tensor | None = None

    @property
    def length(self) -> int:
        """The number of the target's tokens held."""
        return 0 if self.key is None else self.key.shape[2]

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add new tokens' `(B, H, L, Dh)` and return those of all, `(B, H, T + L, Dh)`."""
        if self.key is not None and self.value is not None:
            key = torch.cat((self.key, key), dim=2)  # (B, H, T + L, Dh)
            value = torch.cat((self.value, value), dim=2)  # (B, H, T + L, Dh)
        self.key, self.value = key, value
        return key, value

    def reorder(self, rows: Tensor) -> None:
        """Keep the given rows `(B',)` of the batch, in that order; a row may occur more than once.

        >>> cache = LayerCache(key=torch.arange(2.0).reshape(2, 1, 1, 1))
        >>> cache.reorder(torch.tensor([1, 1, 0]))
        >>> cache.key.flatten().tolist()
        [1.0, 1.0, 0.0]
        """
        for name in ("key", "value", "memory_key", "memory_value"):
            kept = getattr(self, name)
            if kept is not None:
                setattr(self, name, kept.index_select(0, rows))


@dataclass
class KeyValueCache:
    """The caches of all layers of a decoder.

    >>> cache = KeyValueCache.empty(num_layers=6)
    >>> len(cache.layers), cache.length
    (6, 0)
    """

    layers: list[LayerCache] = field(default_factory=list)

    @classmethod
    def empty(cls, num_layers: int) -> KeyValueCache:
        """Make a cache that holds nothing yet."""
        return cls([LayerCache() for _ in range(num_layers)])

    @property
    def length(self) -> int:
        """The number of the target's tokens held."""
        return self.layers[0].length if self.layers else 0

    def reorder(self, rows: Tensor) -> None:
        """Keep the given rows `(B',)` of the batch in every layer, as a beam search does."""
        for layer in self.layers:
            layer.reorder(rows)
