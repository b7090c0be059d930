"""What translates without a network: the phrase itself, and the translation of the most similar known phrase.

Source: Salton and Buckley 1988, "Term-weighting approaches in automatic text retrieval" (weights by
how rare a run is).
"""

from __future__ import annotations

from collections.abc import Sequence

from sklearn.feature_extraction.text import TfidfVectorizer

__all__ = ["Nearest"]

_TOGETHER = 128  # phrases that are compared at once


class Nearest:
    """Returns the translation of the known phrase that is most alike, by its runs of two and three characters.

    Args:
        known: pairs of a phrase and its translation.
    """

    def __init__(self, known: Sequence[tuple[str, str]]) -> None:
        self.translations = [translation for _, translation in known]
        self.count = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3), lowercase=False)
        self.vectors = self.count.fit_transform([phrase for phrase, _ in known])  # (N, runs)

    def __call__(self, texts: Sequence[str]) -> list[str]:
        """Return a translation for each; of equally similar phrases that of the first."""
        found = []
        for start in range(0, len(texts), _TOGETHER):
            asked = self.count.transform(texts[start : start + _TOGETHER])
            alike = (asked @ self.vectors.T).toarray()  # (texts, N)
            found += [self.translations[index] for index in alike.argmax(axis=1)]
        return found
