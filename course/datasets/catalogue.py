"""All data sets by name: what there is, and the one that is asked for. Standard library only."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from course.datasets import docstring_families
from course.datasets.dataset import Card, Dataset
from course.datasets.digits import card as digits
from course.datasets.help_pages import corpus as help_pages
from course.datasets.phrases import card as phrases
from course.datasets.public import archives
from course.datasets.public.load import load_public
from course.datasets.public.sources import SOURCES
from course.datasets.python_docs import corpus
from course.datasets.read_aloud import card as read_aloud
from course.datasets.spoken_digits import card as spoken_digits

__all__ = ["Listing", "available", "load"]


@dataclass(frozen=True)
class Listing:
    """The cards of all data sets."""

    cards: tuple[Card, ...]

    def __repr__(self) -> str:
        parts = [str(card) for card in self.cards]
        return "\n\n".join(
            [*parts, 'Load one: datasets.load("python-docs"), and look at it: .show(10)']
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The names that `load` takes."""
        return tuple(card.name for card in self.cards)


def _sets() -> Mapping[str, tuple[Card, Callable[..., Dataset]]]:
    sets: tuple[tuple[Card, Callable[..., Dataset]], ...] = (
        (corpus.CARD, corpus.load),
        (docstring_families.CARD, docstring_families.load),
        (phrases.CARD, _load_phrases),
        (help_pages.CARD, help_pages.load),
        (spoken_digits.CARD, _load_spoken_digits),
        (read_aloud.CARD, _load_read_aloud),
        (digits.CARD, _load_digits),
        *((source.card, partial(load_public, source)) for source in SOURCES),
        (archives.CIFAR_10.card, _load_cifar_10),
        (archives.FREE_SPOKEN_DIGITS.card, _load_free_spoken_digits),
        (archives.SPEECH_COMMANDS.card, _load_speech_commands),
    )
    return {card.name: (card, read) for card, read in sets}


def _load_phrases(**settings: Any) -> Dataset:
    from course.datasets.phrases.corpus import load  # needs Babel

    return load(**settings)


def _load_spoken_digits(**settings: Any) -> Dataset:
    from course.datasets.spoken_digits.corpus import load  # needs numpy and torch

    return load(**settings)


def _load_read_aloud(**settings: Any) -> Dataset:
    from course.datasets.read_aloud.corpus import load

    return load(**settings)


def _load_digits(**settings: Any) -> Dataset:
    from course.datasets.digits.corpus import load  # needs scikit-learn and torch

    return load(**settings)


def _load_cifar_10(**settings: Any) -> Dataset:
    from course.datasets.public.photographs import load_cifar_10  # needs numpy and torch

    return load_cifar_10(**settings)


def _load_free_spoken_digits(**settings: Any) -> Dataset:
    from course.datasets.public.human_digits import load_free_spoken_digits

    return load_free_spoken_digits(**settings)


def _load_speech_commands(**settings: Any) -> Dataset:
    from course.datasets.public.human_digits import load_speech_commands

    return load_speech_commands(**settings)


def available() -> Listing:
    """Return what data sets there are: what is in each, how large it is, its licence.

    >>> "python-docs" in available().names
    True
    """
    return Listing(tuple(card for card, _ in _sets().values()))


def load(name: str, **settings: Any) -> Dataset:
    """Return a data set: those of the course at once, public ones once they are downloaded.

    Args:
        name: see `available()`.
        settings: those of the data set: `split="random"` for "docstring-families" and "digits",
            `language="de"` for "cldr-phrases", `download=True` for public ones, `split="speakers"` for
            "free-spoken-digits".

    Raises:
        KeyError: there is no data set of that name; names the nearest.
        FileNotFoundError: a public set that is not here; says what `download=True` would fetch.
        TypeError: the data set has no such setting.
    """
    sets = _sets()
    if name not in sets:
        near = difflib.get_close_matches(str(name).lower(), sets, n=1, cutoff=0.0)
        raise UnknownName(
            f"There is no data set {name!r}; did you mean {near[0]!r}? There are {', '.join(sets)}."
        )
    return sets[name][1](**settings)


class UnknownName(KeyError):
    """A KeyError that is shown as a sentence, without quotes and escapes around it."""

    def __str__(self) -> str:
        return str(self.args[0])
