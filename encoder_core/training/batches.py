"""The examples and the random seed of each update, as functions of the update's number.

A training resumed at step 100 therefore continues with the same examples and dropout, and its
checkpoint holds no generator state.

Sources: `torch.utils.data.RandomSampler`, with a separate seed for each epoch; Vaswani et al. 2017,
"Attention Is All You Need", section 5.1 (batches of sentences of similar length).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["Batches", "batch_indices", "step_seed"]

_SORTED_TOGETHER = 50  # batches whose examples are sorted by length: enough for little padding


def step_seed(seed: int, step: int, rank: int = 0) -> int:
    """Return a seed in `[0, 2**63)` for one step of one process."""
    digest = hashlib.sha256(f"{seed} {step} {rank}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def batch_indices(examples: int, batch_size: int, step: int, seed: int) -> list[int]:
    """Return the indices of the examples of update `step`, from its epoch's own shuffle.

    The last batch of an epoch holds the remaining examples. For many steps use `Batches`, which
    shuffles once an epoch.

    >>> one = [batch_indices(5, batch_size=2, step=step, seed=0) for step in range(3)]
    >>> [len(batch) for batch in one], sorted(sum(one, []))
    ([2, 2, 1], [0, 1, 2, 3, 4])
    """
    return Batches(examples, batch_size, seed)(step)


class Batches:
    """The indices of the examples of each update; keeps the order of the latest epoch.

    With `lengths`, one number per example, a batch holds examples of similar length: the shuffled
    examples are sorted by length in groups of 50 batches, and the epoch's batches are shuffled. The
    batch of the remaining examples may then be anywhere in the epoch.

    Raises ValueError if the number of lengths is not that of the examples.

    >>> batches = Batches(6, batch_size=2, seed=0, lengths=[9, 1, 8, 2, 9, 1])
    >>> sorted(sorted(batches(step)) for step in range(3))
    [[0, 4], [1, 5], [2, 3]]
    """

    def __init__(
        self, examples: int, batch_size: int, seed: int, lengths: Sequence[int] | None = None
    ) -> None:
        if lengths is not None and len(lengths) != examples:
            raise ValueError(f"Got {len(lengths)} lengths for {examples} examples; give one each.")
        self.examples, self.batch_size, self.seed = examples, batch_size, seed
        self.per_epoch = math.ceil(examples / batch_size)
        self._lengths = None if lengths is None else torch.tensor(lengths)
        self._epoch = -1
        self._batches: Sequence[Tensor] = ()

    def __call__(self, step: int) -> list[int]:
        """Return the indices of the examples of update `step`, from 0."""
        epoch, place = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self._shuffle(epoch)
        indices: list[int] = self._batches[place].tolist()
        return indices

    def _shuffle(self, epoch: int) -> Sequence[Tensor]:
        """Return the batches of an epoch, each `(batch_size,)` or shorter."""
        generator = torch.Generator().manual_seed(step_seed(self.seed, -1 - epoch))
        order = torch.randperm(self.examples, generator=generator)
        if self._lengths is None:
            return torch.split(order, self.batch_size)
        groups = torch.split(order, self.batch_size * _SORTED_TOGETHER)
        alike = [group[self._lengths[group].argsort(stable=True)] for group in groups]
        batches = torch.split(torch.cat(alike), self.batch_size)
        return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]
