"""Characters of both languages, with one number each, and the batches that are made of them.

One table for both languages: a digit that is copied keeps its number. The characters are those of the
training phrases; the held-out ones have no others.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor

from course import datasets
from encoder_core.text.characters import CharacterTokenizer

__all__ = ["BOS", "EOS", "PAD", "batch", "characters", "encode", "text"]

# The numbers of [PAD], [CLS] and [SEP], which begin and end a text here.
PAD, BOS, EOS = 0, 2, 3


@functools.cache
def characters(language: str) -> CharacterTokenizer:
    """Return the tokenizer of English and a language."""
    phrases = datasets.load("cldr-phrases", language=language).train
    return CharacterTokenizer.from_texts(
        part for phrase in phrases for part in (phrase.text, phrase.target)
    )


def encode(text: str, language: str) -> list[int]:
    """Return the characters' numbers, and the end; unknown characters are [UNK]."""
    return characters(language).encode(text).ids[1:]


def batch(rows: Sequence[Sequence[int]]) -> Tensor:
    """Return rows of numbers as one tensor `(B, S)`, padded on the right."""
    return torch.nn.utils.rnn.pad_sequence(
        [torch.tensor(row, dtype=torch.long) for row in rows], batch_first=True, padding_value=PAD
    )


def text(ids: Sequence[int], language: str) -> str:
    """Return the text that numbers stand for, without special tokens."""
    return characters(language).decode(ids)
