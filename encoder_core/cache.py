"""What a decoder remembers between two tokens: the keys and values that it has already made.

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
        key: of the target's tokens so far, `(B, H, T, Dh)`; None before the first.
        value: likewise.
        memory_key: of the encoder's output, `(B, H, S, Dh)`; made once, at the first step.
        memory_value: likewise.

    >>> LayerCache().length
    0
    """

    key: Tensor | None = None
    value: Tensor | None = None
    memory_key: Tensor | None = None
    memory_value: Tensor | None = None

    @property
    def length(self) -> int:
        """How many of the target's tokens are held."""
        return 0 if self.key is None else self.key.shape[2]

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add the keys and values of new tokens and return those of all.

        Args:
            key: `(B, H, L, Dh)`.
            value: `(B, H, L, Dh)`.

        Returns:
            Two tensors `(B, H, T + L, Dh)`.

        >>> cache, new = LayerCache(), torch.ones(1, 2, 3, 4)
        >>> _ = cache.append(new, new)
        >>> cache.append(new, new)[0].shape
        torch.Size([1, 2, 6, 4])
        """
        if self.key is not None and self.value is not None:
            key = torch.cat((self.key, key), dim=2)  # (B, H, T + L, Dh)
            value = torch.cat((self.value, value), dim=2)  # (B, H, T + L, Dh)
        self.key, self.value = key, value
        return key, value

    def reorder(self, rows: Tensor) -> None:
        """Keep the given rows of the batch, in that order; a row may come more than once.

        Args:
            rows: `(B',)` indices into the batch.

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

    Attributes:
        layers: one `LayerCache` for each layer.

    >>> cache = KeyValueCache.empty(num_layers=6)
    >>> len(cache.layers), cache.length
    (6, 0)
    """

    layers: list[LayerCache] = field(default_factory=list)

    @classmethod
    def empty(cls, num_layers: int) -> KeyValueCache:
        """Make a cache that holds nothing yet.

        Args:
            num_layers: how many layers the decoder has.

        Returns:
            The cache.

        >>> KeyValueCache.empty(2).layers[0].key is None
        True
        """
        return cls([LayerCache() for _ in range(num_layers)])

    @property
    def length(self) -> int:
        """How many of the target's tokens are held."""
        return self.layers[0].length if self.layers else 0

    def reorder(self, rows: Tensor) -> None:
        """Keep the given rows of the batch in every layer: what a beam search needs at each step.

        Args:
            rows: `(B',)` indices into the batch.

        >>> KeyValueCache.empty(1).reorder(torch.tensor([0]))
        """
        for layer in self.layers:
            layer.reorder(rows)
