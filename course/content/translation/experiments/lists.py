"""What a translated list has of the list's names, and in which order: what a share of exact ones does not tell."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

from course.datasets.dataset import Example
from course.datasets.phrases.kinds import PLACES, Phrase

__all__ = ["Order", "measure", "names", "places", "starts"]


class Order(NamedTuple):
    """Means over lists.

    Attributes:
        names: names written for each name of the list.
        first: share of lists that begin with the first name.
        last: share of lists that end with the last name.
        after: share of the names written, from the second on, that follow in the list the one written before.
    """

    names: float
    first: float
    last: float
    after: float


@functools.cache
def _names(language: str) -> re.Pattern[str]:
    known = [Phrase("list", "standard", (code,)).write(language) for code in PLACES]
    longest_first = sorted(known, key=lambda name: -len(name))
    return re.compile("|".join(map(re.escape, longest_first)))


def names(text: str, language: str) -> list[str]:
    """Return the names in a text, in their order."""
    return _names(language).findall(text)


def starts(text: str, language: str) -> list[int]:
    """Return the place of each name's first character."""
    return [found.start() for found in _names(language).finditer(text)]


def places(written: str, target: str, language: str) -> list[int]:
    """Return the place in the list, from 0, of each name that is written; -1 of one that is not there."""
    right = names(target, language)
    return [right.index(name) if name in right else -1 for name in names(written, language)]


def measure(written: Sequence[str], lists: Sequence[Example], language: str) -> Order:
    """Compare translations of lists with the right ones."""
    count = total = first = last = after = pairs = 0
    for text, example in zip(written, lists, strict=True):
        found, size = places(text, example.target, language), len(names(example.target, language))
        count, total = count + len(found), total + size
        first += found[:1] == [0]
        last += found[-1:] == [size - 1]
        following = list(itertools.pairwise(found))
        pairs += len(following)
        after += sum(a >= 0 and b == a + 1 for a, b in following)
    return Order(count / total, first / len(lists), last / len(lists), after / max(1, pairs))
