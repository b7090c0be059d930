"""Which examples an update sees, and which random numbers it draws: functions of its number alone.

So a training that goes on at step 100 sees and draws what it would have without a break, and
nothing of the generators' states need be saved.

Source: `torch.utils.data.RandomSampler`, with a seed of its own for each epoch.
"""

from __future__ import annotations

import hashlib
import math

import torch

__all__ = ["batch_indices", "step_seed"]


def step_seed(seed: int, step: int, rank: int = 0) -> int:
    """Give each step of each process a seed of its own, so that no generator need be saved.

    Args:
        seed: the training's.
        step: updates made before this one.
        rank: the process's.

    Returns:
        A number in `[0, 2**63)`.

    >>> step_seed(0, 1) == step_seed(0, 1), step_seed(0, 1) == step_seed(1, 0)
    (True, False)
    """
    digest = hashlib.sha256(f"{seed} {step} {rank}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def batch_indices(examples: int, batch_size: int, step: int, seed: int) -> list[int]:
    """Say which examples an update sees: those of its place in its epoch's own shuffle.

    Args:
        examples: how many there are.
        batch_size: how many an update sees; an epoch's last batch holds what is left.
        step: updates made before this one.
        seed: the training's.

    Returns:
        The indices.

    >>> one = [batch_indices(5, batch_size=2, step=step, seed=0) for step in range(3)]
    >>> [len(batch) for batch in one], sorted(sum(one, []))
    ([2, 2, 1], [0, 1, 2, 3, 4])
    """
    epoch, place = divmod(step, math.ceil(examples / batch_size))
    generator = torch.Generator().manual_seed(step_seed(seed, -1 - epoch))
    order = torch.randperm(examples, generator=generator)
    return order[place * batch_size : (place + 1) * batch_size].tolist()
