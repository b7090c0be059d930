"""Python's documentation as rows of pieces, and how pieces are hidden in them.

Rows have 32 pieces and no padding (`corpus.pieces`). In training other pieces are hidden each time a
row is read. For validation and test the hidden pieces are drawn once, 15 in 100, and all replaced by
`[MASK]`, so that every model answers the same questions.

Source: Devlin et al. 2019, "BERT", section 3.1, task 1; Liu et al. 2019, "RoBERTa", section 4.1
(masks drawn anew); Wettig et al. 2023, "Should You Mask 15 % in Masked Language Modeling?".
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from course.datasets.python_docs import corpus

__all__ = ["HIDDEN", "LENGTH", "Questions", "Rows", "hide", "questions", "rows", "special"]

LENGTH = 32  # pieces in a row
HIDDEN = -100  # the label of a piece that is not to be guessed, as in torch's cross entropy
ASKED = 0.15  # of the pieces of validation and test

Masking = Callable[..., tuple[Tensor, Tensor]]  # such as `bert.mask_tokens`


class Rows(NamedTuple):
    """A batch: what the model reads and what it must guess, both int64 `(B, S)`."""

    inputs: Tensor
    labels: Tensor


class Questions(NamedTuple):
    """Rows with hidden pieces: `inputs` and `answers` int64 `(N, S)`, `where` bool, True where hidden."""

    inputs: Tensor
    where: Tensor
    answers: Tensor


def rows(split: str = "train") -> Tensor:
    """Return a split as int64 `(N, 32)`. The tensor is shared; don't change it."""
    return corpus.pieces(split, LENGTH)


def special(ids: Tensor) -> Tensor:
    """Tell where `ids` has `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]` or `[MASK]`, which are never hidden."""
    return ids < len(corpus.tokenizer().specials)


@functools.cache
def questions(split: str = "validation", seed: int = 0) -> Questions:
    """Return the questions of validation or test, the same on every call."""
    ids = rows(split)
    generator = torch.Generator().manual_seed(seed)
    where = (torch.rand(ids.shape, generator=generator) < ASKED) & ~special(ids)
    return Questions(ids.masked_fill(where, _mask_id()), where, ids)


def hide(
    probability: float = 0.3, masking: Masking | None = None
) -> Callable[[Sequence[Tensor]], Rows]:
    """Return a `collate` for `training.fit`: it hides each piece of its rows with `probability`.

    Args:
        probability: of each piece that is not special.
        masking: called as `bert.mask_tokens`, for the learner's own; by default all chosen pieces
            become `[MASK]`.
    """
    specials, mask_id, vocab_size = 5, _mask_id(), len(corpus.tokenizer().vocabulary)

    def collate(chosen: Sequence[Tensor]) -> Rows:
        ids = torch.stack(list(chosen))  # (B, S)
        if masking is not None:
            return Rows(*masking(ids, ids < specials, mask_id, vocab_size, probability))
        where = (torch.rand(ids.shape) < probability) & (ids >= specials)
        return Rows(ids.masked_fill(where, mask_id), ids.masked_fill(~where, HIDDEN))

    return collate


def _mask_id() -> int:
    return corpus.tokenizer().vocabulary["[MASK]"]
