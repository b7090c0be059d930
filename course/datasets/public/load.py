"""Make a `Dataset` of a public set's files."""

from __future__ import annotations

from pathlib import Path

from course.datasets.dataset import Dataset, Example, fixed_order
from course.datasets.public import parquet
from course.datasets.public.fetch import fetch
from course.datasets.public.sources import Source

__all__ = ["HELD_OUT", "load_public"]

HELD_OUT = 20  # one training example in so many is for validation, where the set has no validation


def load_public(source: Source, *, download: bool = False) -> Dataset:
    """Return a public set, from the hub's cache or, with `download=True`, from the hub.

    Raises NotHereError, MissingLibraryError, or ValueError if a file is not what it was: each says
    what to do.
    """
    paths = {split: fetch(source, file, download=download) for split, file in source.files.items()}
    parts = {split: _examples(source, split, path) for split, path in paths.items()}
    if source.validation is None:
        order = fixed_order(parts["train"], lambda example: example.text)
        count = len(order) // HELD_OUT
        parts["validation"], parts["train"] = tuple(order[:count]), tuple(order[count:])
    return Dataset(source.card, parts["train"], parts["validation"], parts["test"])


def _examples(source: Source, split: str, path: Path) -> tuple[Example, ...]:
    """Read a file; empty texts are left out."""
    names = (source.text,) if source.label is None else (source.text, source.label)
    found = parquet.columns(path, names)
    texts = found[source.text]
    labels = [None] * len(texts) if source.label is None else found[source.label]
    number = len(source.card.classes)
    examples = []
    for row, (text, label) in enumerate(zip(texts, labels, strict=True)):
        if not isinstance(text, str):
            raise ValueError(_changed(source, path, row, f"{source.text} is {text!r}, not a text"))
        if source.label is not None and label not in range(number):
            known = f"not a number from 0 to {number - 1}"
            raise ValueError(_changed(source, path, row, f"{source.label} is {label!r}, {known}"))
        if text.strip():
            examples.append(Example(text.strip(), label, f"{source.card.name} {split} {row}"))
    return tuple(examples)


def _changed(source: Source, path: Path, row: int, what: str) -> str:
    return f"{source.card.name} is not what it was: in row {row} of {path.name}, {what}."
