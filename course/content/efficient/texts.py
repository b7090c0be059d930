"""Real texts in ids: sections of Python's documentation, as MiniLM's tokenizer cuts them."""

from __future__ import annotations

import random
from collections.abc import Sequence

from course.datasets import load
from encoder_core import load_minilm
from encoder_core.pretrained.minilm import MINILM_MAX_LENGTH

__all__ = ["ids_of", "rows_of", "sections"]


def sections(count: int, seed: int = 0) -> list[str]:
    """Draw `count` different sections of Python's documentation."""
    texts = [each.text for each in load("python-docs").train]
    return random.Random(seed).sample(texts, count)


def ids_of(texts: Sequence[str]) -> list[list[int]]:
    """The ids of each text, `[CLS]` and `[SEP]` among them, at most as many as MiniLM was trained with."""
    _, tokenizer = load_minilm()
    return [tokenizer.encode(text, max_length=MINILM_MAX_LENGTH).ids for text in texts]


def rows_of(lengths: Sequence[int], room: int) -> list[list[int]]:
    """Put texts into rows of `room` tokens: the longest first, each into the first row where it fits.

    Returns the numbers of the texts of each row. This is first-fit decreasing. Krell et al. 2021, section 3, take the
    emptiest row that has room.

    >>> rows_of([3, 6, 2, 5], room=8)
    [[1, 2], [3, 0]]
    """
    rows: list[list[int]] = []
    left: list[int] = []
    for text in sorted(range(len(lengths)), key=lambda each: -lengths[each]):
        if lengths[text] > room:
            raise ValueError(f"text {text} has {lengths[text]} tokens; a row has room for {room}")
        row = next((number for number, free in enumerate(left) if free >= lengths[text]), None)
        if row is None:
            row = len(rows)
            rows.append([])
            left.append(room)
        rows[row].append(text)
        left[row] -= lengths[text]
    return rows
