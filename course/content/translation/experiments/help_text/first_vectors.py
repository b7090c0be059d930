"""First vectors of pieces, in which an English piece is near the Chinese pieces that translate it.

Which piece translates which is counted in the training pairs: IBM Model 1 shares each Chinese piece out
among the English pieces of its pair, by how likely they translate it, and counts again. How much likelier
an English piece makes a Chinese one is a table; its largest singular vectors are the first vectors.

Sources: Brown et al. 1993, "The Mathematics of Statistical Machine Translation", section 4.2 (Model 1);
Levy and Goldberg 2014, "Neural Word Embedding as Implicit Matrix Factorization", section 5.3.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from course.content.translation.experiments.help_text.rows import Row, rows
from course.content.translation.experiments.help_text.tokens import pieces, written
from course.sandbox.guards import seeded

__all__ = ["Translations", "counted", "frequencies", "translations", "vectors"]

ROUNDS = 4
LONGEST = 40  # pieces on a side: longer pairs say little of which piece belongs to which
FEWEST = 2.0  # times that two pieces translate each other, in expectation


class Translations(NamedTuple):
    """What may translate what, each `(N,)`: English and Chinese piece, how often, and how likely."""

    english: Tensor
    chinese: Tensor
    counts: Tensor
    probability: Tensor


def translations(pairs: Sequence[Row], rounds: int = ROUNDS) -> Translations:
    """Count which piece translates which.

    >>> found = translations([Row((1,), (3,)), Row((1, 2), (3, 4))])
    >>> [round(p, 2) for p in found.probability.tolist()]  # 3 given 1, 4 given 1, 3 given 2, 4 given 2
    [0.93, 0.07, 0.22, 0.78]
    """
    size = 1 + max(max(*pair.source, *pair.target) for pair in pairs)
    keys, places, first = [], [], 0
    for pair in pairs:
        source, target = torch.tensor(pair.source), torch.tensor(pair.target)
        keys.append((source[:, None] * size + target).flatten())
        places.append((first + torch.arange(len(target))).repeat(len(source)))
        first += len(target)
    place = torch.cat(places)  # the Chinese piece that each key is about
    cells, cell = torch.unique(torch.cat(keys), return_inverse=True)
    english, chinese = cells // size, cells % size
    probability = torch.ones(len(cells), dtype=torch.float64)
    for _ in range(rounds):
        share = probability[cell]
        share = share / torch.bincount(place, share)[place]
        counts = torch.bincount(cell, share)
        probability = counts / torch.bincount(english, counts)[english]
    return Translations(english, chinese, counts, probability)


@functools.cache
def counted() -> Translations:
    """Count in the training pairs. `[SEP]`, in every text, is there for what no English piece says."""
    return translations([row for row in rows() if max(map(len, row)) <= LONGEST])


@functools.cache
def vectors(width: int) -> Tensor:
    """Return a vector of length 1 for each piece, `(V, width)`; zeros where nothing is counted."""
    found = counted()
    usual = torch.bincount(found.chinese, found.counts, written()) / found.counts.sum()  # (W,)
    gain = (found.probability / usual[found.chinese]).log()
    kept = (gain > 0) & (found.counts >= FEWEST)
    table = torch.zeros(len(pieces()), written())  # (V, W)
    table[found.english[kept], found.chinese[kept]] = gain[kept].float()
    with seeded(0):
        english, sizes, chinese = torch.svd_lowrank(table, width, niter=2)
    made = english * sizes.sqrt()  # (V, width)
    made[: written()] += chinese * sizes.sqrt()
    return torch.nn.functional.normalize(made, dim=1)


@functools.cache
def frequencies() -> Tensor:
    """Return the logarithm of how often each piece is written in training, `(W,)`."""
    targets = torch.tensor([number for row in rows() for number in row.target])
    counts = torch.bincount(targets, minlength=written()) + 1.0
    return (counts / counts.sum()).log()
