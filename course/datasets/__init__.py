"""What the chapters search and train on: what Python packages carry, and larger public sets.

    datasets.available()                          what there is, how large, under which licence
    data = datasets.load("python-docs")           data.train, data.validation, data.test
    data.show(10)                                 ten examples
    datasets.load("ag_news", download=True)       a public set, of texts
    datasets.load("cifar-10", download=True)      of images
    datasets.load("free-spoken-digits", download=True)  of sounds
    datasets.pieces("train", length=32)           "python-docs" as rows of piece ids

Nothing is downloaded without `download=True`.
"""

from __future__ import annotations

from course.datasets.catalogue import available, load
from course.datasets.dataset import Card, Dataset, Example
from course.datasets.python_docs.corpus import pieces, tokenizer

__all__ = ["Card", "Dataset", "Example", "available", "load", "pieces", "tokenizer"]
