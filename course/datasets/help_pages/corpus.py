"""The data set "libreoffice-help": paragraphs in English, each with its translation into Chinese."""

from __future__ import annotations

import functools
import gzip
import json
from pathlib import Path
from typing import NamedTuple

from course.datasets.dataset import Card, Dataset, Example

__all__ = ["CARD", "LICENCE", "TABLE", "Pair", "load", "version"]

FOLDER = Path(__file__).parent
TABLE = FOLDER / "pairs.jsonl.gz"
LICENCE = FOLDER / "LICENSE-MPL-2.0.txt"


class Pair(NamedTuple):
    """A line of the table."""

    split: str  # train, validation or test
    page: str  # such as "swriter/guide/footnote_usage"
    english: str
    chinese: str


CARD = Card(
    name="libreoffice-help",
    about="Paragraphs of the help of LibreOffice 7.4 in English, each with its translation into Chinese.",
    origin="Debian's packages libreoffice-help-en-us and libreoffice-help-zh-cn; split by whole pages, and "
    "no training paragraph nearly equals one of validation or test. Copyright 2000, 2010 Oracle and "
    "LibreOffice contributors",
    licence="Mozilla Public License 2.0 (help_pages/LICENSE-MPL-2.0.txt)",
    examples=16071,
    size=996_100,
)


@functools.cache
def load() -> Dataset:
    """Return the data set; `example.text` is English, `example.target` its translation."""
    found: dict[str, list[Example]] = {"train": [], "validation": [], "test": []}
    for line in _lines()[1:]:
        pair = Pair(*json.loads(line))
        found[pair.split].append(Example(pair.english, None, pair.page, pair.chinese))
    return Dataset(CARD, *map(tuple, found.values()))


def version() -> str:
    """Return which LibreOffice the pairs are from."""
    return str(json.loads(_lines()[0])["version"])


@functools.cache
def _lines() -> tuple[str, ...]:
    return tuple(gzip.decompress(TABLE.read_bytes()).decode().splitlines())
