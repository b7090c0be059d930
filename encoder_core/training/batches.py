"""The examples and the random seed of each update, as functions of the update's number.

A training resumed at step 100 therefore continues with the same examples and dropout, and its
checkpoint holds no generator state.

Source: `torch.utils.data.RandomSampler`, with a separate seed for each epoch.
"""

from __future__ import annotations

import hashlib
import math

import torch

__all__ = ["batch_indices", "step_seed"]


def step_seed(seed: int, step: int, rank: int = 0) -> int:
    """Return a seed in `[0, 2**63)` for one step of one process."""
    digest = hashlib.sha256(f"{seed} {step} {rank}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def batch_indices(examples: int, batch_size: int, step: int, seed: int) -> list[int]:
    """Return the indices of the examples of update `step`, from its epoch's own shuffle.

    The last batch of an epoch holds the remaining examples.

    >>> one = [batch_indices(5, batch_size=2, step=step, seed=0) for step in range(3)]
    >>> [len(batch) for batch in one], sorted(sum(one, []))
    ([2, 2, 1], [0, 1, 2, 3, 4])
    """
    epoch, place = divmod(step, math.ceil(examples / batch_size))
    generator = torch.Generator().manual_seed(step_seed(seed, -1 - epoch))
    order = torch.randperm(examples, generator=generator)
    return order[place * batch_size : (place + 1) * batch_size].tolist()
