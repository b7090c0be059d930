"""The data set "python-docs": prose for the masked-word objective, as examples and as piece ids."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from course.datasets.dataset import Card, Dataset, Example
from course.datasets.python_docs import snapshot

if TYPE_CHECKING:
    from torch import Tensor

    from encoder_core.text.tokenizer import WordPiece

__all__ = ["CARD", "load", "pieces", "tokenizer"]

_WORDS = re.compile(r"[a-z0-9]+|[^a-z0-9\s]")

CARD = Card(
    name="python-docs",
    about="English prose from the documentation of Python 3.11.7: docstrings of the standard library "
    "and the topics that help() knows.",
    origin="the sources of the standard library and pydoc_data.topics; split by whole modules and "
    "topics, and no training paragraph nearly equals one of validation or test",
    licence="Python Software Foundation License 2 (python_docs/LICENSE-python.txt)",
    examples=7542,
    size=569_619,
)


@functools.cache
def load() -> Dataset:
    """Return the data set; an example is the prose of one docstring or topic, one paragraph a line."""
    found: dict[str, list[Example]] = {"train": [], "validation": [], "test": []}
    for document in snapshot.documents():
        found[document.split].append(Example(document.text, None, document.source))
    return Dataset(CARD, *map(tuple, found.values()))


@functools.cache
def tokenizer() -> WordPiece:
    """Return the WordPiece tokenizer of 2,000 lower-case pieces, trained on the training split."""
    from encoder_core.text.tokenizer import WordPiece

    return WordPiece.from_vocabulary_file(snapshot.VOCABULARY)


@functools.cache
def pieces(split: str = "train", length: int = 32, packed: bool = True) -> Tensor:
    """Return a split as rows of piece ids: int64 `(N, length)`. The tensor is shared; don't change it.

    Each row begins with `[CLS]`. Packed rows continue the text, with `[SEP]` after each paragraph; they
    have no padding, and what does not fill the last row is left out. Otherwise a row holds one
    paragraph between `[CLS]` and `[SEP]`, padded on the right; a longer paragraph continues in the next
    row.

    Raises ValueError if the split is unknown or `length` is less than 3.
    """
    if split not in ("train", "validation", "test"):
        raise ValueError(f"split={split!r}: take 'train', 'validation' or 'test'.")
    if length < 3:
        raise ValueError(f"length={length}: [CLS], a piece and [SEP] need at least 3.")
    ids = _ids(split)
    return _packed(ids, length) if packed else _padded(ids, length)


@functools.cache
def _ids(split: str) -> tuple[tuple[int, ...], ...]:
    """The piece ids of each paragraph, without special tokens."""
    examples: tuple[Example, ...] = getattr(load(), split)
    paragraphs = (text for example in examples for text in example.text.lower().split("\n"))
    words = (
        _WORDS.findall(text) for text in paragraphs
    )  # as the tokenizer splits ASCII, but faster
    return tuple(tuple(chain.from_iterable(map(_word, found))) for found in words)


@functools.cache
def _word(word: str) -> tuple[int, ...]:
    return tuple(tokenizer().encode(word).ids[1:-1])


def _packed(paragraphs: Iterable[tuple[int, ...]], length: int) -> Tensor:
    import torch

    cls, sep = (tokenizer().vocabulary[token] for token in ("[CLS]", "[SEP]"))
    stream = torch.tensor([number for ids in paragraphs for number in (*ids, sep)])
    body = stream[: len(stream) // (length - 1) * (length - 1)].view(-1, length - 1)
    return torch.cat([body.new_full((len(body), 1), cls), body], dim=1)  # (N, length)


def _padded(paragraphs: Iterable[tuple[int, ...]], length: int) -> Tensor:
    import torch

    cls, sep, pad = (tokenizer().vocabulary[token] for token in ("[CLS]", "[SEP]", "[PAD]"))
    rows = [(cls, *part, sep) for ids in paragraphs for part in _cut(ids, length - 2)]
    return torch.tensor([row + (pad,) * (length - len(row)) for row in rows])  # (N, length)


def _cut(ids: tuple[int, ...], room: int) -> Iterator[tuple[int, ...]]:
    return (ids[start : start + room] for start in range(0, len(ids), room))
