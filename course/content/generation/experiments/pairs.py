"""Pairs of keywords and a sentence, from the documentation of Python's language and library.

A sentence of 5 to 16 words and marks is one pair: without its stop words and marks it is the input, as a
whole it is the answer. Modules and topics are held out as in "python-docs"; of equal sentences a split
keeps one.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from course import datasets

__all__ = [
    "BOS", "EOS", "MARKS", "PAD", "STOP_WORDS", "Pair", "batch", "encode", "keywords_of", "pairs", "shuffled",
    "split_words", "words",
]  # fmt: skip

LENGTHS = range(5, 17)  # words and marks
FEWEST = 2  # keywords
PAD, BOS, EOS = 0, 2, 3  # [PAD], [CLS] and [SEP] of the vocabulary

_WORD = re.compile(r"[a-z0-9]+|[^a-z0-9\s]")
_END = re.compile(r"(?<=\.)\s+(?=[A-Z])")
_STOP = """a an the
is are was were be been being am do does did has have had having
will would shall should can could may might must
of at by for with about against between into through during before after above below to from up down
in out on off over under
and but or if because as until while that which who whom whose"""
STOP_WORDS = frozenset(_STOP.split())
MARKS = (",", ".", "'", "-", '"', "(", ")", ":", ";")


class Pair(NamedTuple):
    """Keywords, the sentence that they are of, and where it is from; words in lower case."""

    keywords: tuple[str, ...]
    sentence: tuple[str, ...]
    source: str


def keywords_of(sentence: Iterable[str]) -> tuple[str, ...]:
    """Leave out stop words and marks.

    >>> keywords_of("return a copy of the list .".split())
    ('return', 'copy', 'list')
    """
    return tuple(word for word in sentence if word not in STOP_WORDS and word[0].isalnum())


def split_words(text: str) -> tuple[str, ...]:
    """Cut a text into words and marks, in lower case."""
    return tuple(_WORD.findall(text.lower()))


@functools.cache
def pairs(split: str = "train") -> tuple[Pair, ...]:
    """Return the pairs of a split, in the order of the documentation."""
    found: dict[tuple[str, ...], Pair] = {}
    for example in getattr(datasets.load("python-docs"), split):
        for text in _sentences(example.text):
            sentence = split_words(text)
            keywords = keywords_of(sentence)
            if len(sentence) in LENGTHS and len(keywords) >= FEWEST:
                found.setdefault(sentence, Pair(keywords, sentence, example.source))
    return tuple(found.values())


def _sentences(text: str) -> Iterable[str]:
    """Cut a text into sentences; what does not end with a full stop is none."""
    parts = (part for paragraph in text.split("\n") for part in _END.split(paragraph))
    return (part for part in parts if part.endswith("."))


def shuffled(keywords: Sequence[str], generator: torch.Generator | None = None) -> tuple[str, ...]:
    """Draw another order."""
    order = torch.randperm(len(keywords), generator=generator).tolist()
    return tuple(keywords[place] for place in order)


def encode(text: Iterable[str]) -> list[int]:
    """Return the pieces of words, and `EOS` after them."""
    return [*(number for word in text for number in _pieces(word)), EOS]


@functools.cache
def _pieces(word: str) -> tuple[int, ...]:
    return tuple(datasets.tokenizer().encode(word).ids[1:-1])


def words(ids: Iterable[int]) -> list[str]:
    """Join pieces to words; ids without `BOS` and `EOS`.

    >>> words(encode(["copy", "docstring"])[:-1])
    ['copy', 'docstring']
    """
    tokens = datasets.tokenizer().tokens
    found: list[str] = []
    for number in ids:
        token = tokens[number]
        if token.startswith("##") and found:
            found[-1] += token[2:]
        else:
            found.append(token)
    return found


def batch(rows: Sequence[Sequence[int]]) -> Tensor:
    """Pad rows on the right: int64 `(B, S)`."""
    longest = max(len(row) for row in rows)
    return torch.tensor([[*row, *[PAD] * (longest - len(row))] for row in rows])
