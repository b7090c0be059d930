"""Read the frozen snapshot of Python's documentation. Standard library only."""

from __future__ import annotations

import functools
import gzip
import json
from pathlib import Path
from typing import NamedTuple

__all__ = ["LICENCE", "TABLE", "VOCABULARY", "Document", "Origin", "documents", "origin"]

FOLDER = Path(__file__).parent
TABLE = FOLDER / "documents.jsonl.gz"
VOCABULARY = FOLDER / "vocabulary.txt"
LICENCE = FOLDER / "LICENSE-python.txt"


class Document(NamedTuple):
    """The prose of one docstring or topic."""

    split: str  # train, validation or test
    source: str  # a module, such as "email.message", or a topic, such as "topics/with"
    name: str  # what is documented, such as "Message.get_param"; empty for a module
    text: str  # one paragraph a line


class Origin(NamedTuple):
    """What a snapshot was made of."""

    python: str
    sha256: str  # of the uncleaned texts


@functools.cache
def _lines() -> tuple[str, ...]:
    return tuple(gzip.decompress(TABLE.read_bytes()).decode("ascii").splitlines())


def origin() -> Origin:
    """Return which Python the snapshot was made of."""
    return Origin(**json.loads(_lines()[0]))


@functools.cache
def documents() -> tuple[Document, ...]:
    """Return all documents in the order of their sources: topics first, then modules."""
    return tuple(Document(*json.loads(line)) for line in _lines()[1:])
