"""The training pairs in pieces, and batches of pairs of similar length."""

from __future__ import annotations

import functools
import random
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from course import datasets
from course.content.translation.experiments.help_text import neighbours
from course.content.translation.experiments.help_text.tokens import PAD, encode, encode_source
from course.datasets.dataset import Example

__all__ = ["Row", "groups", "padded", "rows", "sources"]

LONGEST = 60  # pieces of a translation that is trained on
_SOURCE = 150  # pieces of a source to which a similar pair is added
_ROUNDS = 8


class Row(NamedTuple):
    """The pieces of a source and of its translation."""

    source: tuple[int, ...]
    target: tuple[int, ...]


def sources(texts: Sequence[str], beside: int) -> list[tuple[int, ...]]:
    """Return the pieces of English texts, each followed by those of its `beside` most similar pairs."""
    if not beside:
        return [tuple(encode_source(text)) for text in texts]
    found = neighbours.nearest(texts, beside)
    return [_with(text, pairs) for text, pairs in zip(texts, found, strict=True)]


def _with(text: str, pairs: Sequence[Example]) -> tuple[int, ...]:
    row = encode_source(text)
    for pair in pairs:
        more = [*encode_source(pair.text), *encode(pair.target)]
        if len(row) + len(more) <= _SOURCE:
            row += more
    return tuple(row)


@functools.cache
def rows(beside: int = 0) -> tuple[Row, ...]:
    """Return the training pairs in pieces, with similar pairs from other pages beside their sources."""
    train = datasets.load("libreoffice-help").train
    found = neighbours.of_training(beside) if beside else [()] * len(train)
    return tuple(
        Row(_with(example.text, pairs), tuple(encode(example.target)))
        for example, pairs in zip(train, found, strict=True)
    )


@functools.cache
def groups(size: int, beside: int = 0) -> tuple[tuple[Row, ...], ...]:
    """Return groups of rows of similar length, each of about `size` pieces of translation.

    All rows are there eight times, in other company each time.
    """
    kept = [row for row in rows(beside) if len(row.target) <= LONGEST]
    generator = random.Random(0)
    found = []
    for _ in range(_ROUNDS):
        # the length and a little chance
        keys = [len(r.target) * generator.uniform(0.9, 1.1) + 0.3 * len(r.source) for r in kept]
        group: list[Row] = []
        longest = 0
        for place in sorted(range(len(kept)), key=keys.__getitem__):
            row = kept[place]
            longest = max(longest, len(row.target))
            if group and (len(group) + 1) * longest > size:
                found.append(tuple(group))
                group, longest = [], len(row.target)
            group.append(row)
        found.append(tuple(group))
    return tuple(found)


def padded(found: Sequence[Sequence[int]]) -> Tensor:
    """Pad rows on the right: int64 `(B, S)`."""
    longest = max(map(len, found))
    return torch.tensor([[*row, *[PAD] * (longest - len(row))] for row in found])
