"""A dictionary of pieces, counted in the training pairs, and what it makes of a text alone.

Source: Arthur, Neubig and Nakamura 2016, "Incorporating Discrete Translation Lexicons into Neural Machine
Translation" (the dictionary as a bias of the network's scores).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor

from course.content.translation.experiments.help_text.first_vectors import counted
from course.content.translation.experiments.help_text.tokens import (
    EOS,
    decode,
    encode_source,
    pieces,
    written,
)

__all__ = ["KEPT", "empty", "tables", "translate"]

KEPT = 8  # translations of a piece
LEAST = 0.2  # an English piece that makes no Chinese one as likely is left out, such as "the"


@functools.cache
def tables() -> tuple[Tensor, Tensor]:
    """Return the likeliest translations of each piece and how likely each is: `(V, K)` both.

    A piece of which nothing is counted stands for itself, if it can be written.
    """
    found = counted()
    by_likelihood = found.probability.argsort(descending=True)
    order = by_likelihood[found.english[by_likelihood].argsort(stable=True)]  # by piece
    english = found.english[order]
    first = torch.searchsorted(english, torch.arange(len(pieces())))  # (V,)
    rank = torch.arange(len(order)) - first[english]
    kept = rank < KEPT
    likely, likelihood = empty()
    likely[english[kept], rank[kept]] = found.chinese[order][kept]
    likelihood[english[kept], rank[kept]] = found.probability[order][kept].float()
    unseen = ~likelihood[: written()].any(dim=1)
    likely[: written(), 0][unseen] = torch.arange(written())[unseen]
    likelihood[: written(), 0][unseen] = 1.0
    return likely, likelihood


def empty() -> tuple[Tensor, Tensor]:
    """Return tables without translations."""
    size = (len(pieces()), KEPT)
    return torch.zeros(size, dtype=torch.int64), torch.zeros(size)


def translate(texts: Sequence[str]) -> list[str]:
    """Translate English texts piece by piece."""
    likely, likelihood = (table[:, 0].tolist() for table in tables())
    return [
        decode(
            likely[piece]
            for piece in encode_source(text)[:-1]
            if likelihood[piece] >= LEAST and likely[piece] > EOS
        )
        for text in texts
    ]
