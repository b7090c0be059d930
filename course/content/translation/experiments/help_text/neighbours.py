"""The most similar pairs of training, by the cosine of TF-IDF: a baseline, and something to read beside.

Source: Salton and Buckley 1988, "Term-weighting approaches in automatic text retrieval" (weights by
how rare a word is).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from course import datasets
from course.content.translation.experiments.help_text.tokens import source_words
from course.datasets.dataset import Example

__all__ = ["nearest", "of_training"]

_AT_ONCE = 1000


def _parts(text: str) -> list[str]:
    """Return the words of a text in small letters, and each two that follow each other."""
    found = [word.lower() for word in source_words(text)]
    return found + [f"{a} {b}" for a, b in itertools.pairwise(found)]


@functools.cache
def _fitted() -> tuple[TfidfVectorizer, object]:
    vectorizer = TfidfVectorizer(analyzer=_parts, sublinear_tf=True)
    return vectorizer, vectorizer.fit_transform(
        [e.text for e in datasets.load("libreoffice-help").train]
    )


def nearest(
    texts: Sequence[str], count: int = 1, pages: Sequence[str] | None = None
) -> list[list[Example]]:
    """Return the `count` most similar pairs of training for each English text, the most similar first.

    None of them is from the text's own page, where `pages` names it.
    """
    train = datasets.load("libreoffice-help").train
    vectorizer, known = _fitted()
    own = np.array([e.source for e in train])
    found = []
    for start in range(0, len(texts), _AT_ONCE):
        asked = vectorizer.transform(texts[start : start + _AT_ONCE])
        alike = (asked @ known.T).toarray()  # type: ignore[attr-defined]
        for row, scores in enumerate(alike):
            if pages is not None:
                scores[own == pages[start + row]] = -1.0
            best = np.argsort(-scores, kind="stable")[:count]
            found.append([train[index] for index in best])
    return found


@functools.cache
def of_training(count: int) -> tuple[tuple[Example, ...], ...]:
    """Return them for each pair of training, from other pages than its own."""
    train = datasets.load("libreoffice-help").train
    found = nearest([e.text for e in train], count, [e.source for e in train])
    return tuple(map(tuple, found))
