"""The data set "cldr-phrases": dates, times, amounts and lists in English and in another language."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping

from course.datasets.dataset import Dataset, Example, fixed_order
from course.datasets.phrases.card import CARD, LANGUAGES, TESTS
from course.datasets.phrases.kinds import Phrase, draw

__all__ = ["load"]

_EACH = 5000  # phrases of a kind, before those that say the same are taken out
_SHARES = {"test": 0.05, "validation": 0.05}


@functools.lru_cache(maxsize=4)
def load(language: str = "zh", test: str = "items") -> Dataset:
    """Return the data set; `example.text` is English, `example.target` the other language.

    Where English says several phrases in the same words, the first of them is kept, so that every text has
    one translation.

    Args:
        language: one of `LANGUAGES`.
        test: which examples `dataset.test` has, of `TESTS`.

    Raises:
        ValueError: there is no such language or test.
        ModuleNotFoundError: Babel is not installed.
    """
    if language not in LANGUAGES:
        known = ", ".join(f"{name!r} ({full})" for name, full in LANGUAGES.items())
        raise ValueError(f"language={language!r}: take one of {known}.")
    if test not in TESTS:
        raise ValueError(f"test={test!r}: take one of {', '.join(map(repr, TESTS))}.")
    parts = _parts()
    chosen = (parts["train"], parts["validation"], parts[test])
    return Dataset(CARD, *(tuple(_example(*pair, language) for pair in part) for part in chosen))


def _example(phrase: Phrase, english: str, language: str) -> Example:
    label = CARD.classes.index(phrase.kind)
    return Example(english, label, f"{phrase.kind}, {phrase.form}", phrase.write(language))


@functools.cache
def _parts() -> Mapping[str, list[tuple[Phrase, str]]]:
    """The phrases with their English: held out at random, by decade, by length, and the rest."""
    said: dict[str, Phrase] = {}
    for phrase in draw(_EACH):
        said.setdefault(phrase.write("en"), phrase)
    parts: dict[str, list[tuple[Phrase, str]]] = defaultdict(list)
    for english, phrase in said.items():
        parts[phrase.unseen or "rest"].append((phrase, english))
    rest = fixed_order(parts.pop("rest"), lambda pair: pair[1])
    counts = [int(share * len(rest)) for share in _SHARES.values()]
    parts["items"] = rest[: counts[0]]
    parts["validation"] = rest[counts[0] : sum(counts)]
    parts["train"] = rest[sum(counts) :]
    return parts
