"""Search by words, for comparison: BM25, and TF-IDF with an index that answers each key press."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["WordIndex", "bm25", "counted_words"]

_COUNTED = re.compile(r"\b\w\w+\b")


def bm25(question: str, texts: Sequence[str], k1: float = 1.2, b: float = 0.75) -> Tensor:
    r"""How well each text fits the question's words, `(N,)`; 0 for a text that has none of them.

    Every word of the question adds idf * f * (k1 + 1) / (f + k1 * (1 - b + b * length / mean length)),
    where f is how often the text has it and idf = ln(1 + (N - n + 0.5) / (n + 0.5)) is large for a word
    that only few texts have, n of N.

    Args:
        question: any text; a word is what `\w+` matches in it, in lower case.
        texts: what is searched.
        k1: how soon further occurrences of a word stop counting.
        b: how much a long text is marked down, from 0 to 1.

    Source: Robertson and Zaragoza 2009, section 3; the 1 in the idf, which keeps it above 0, is
    Lucene's.

    >>> bm25("a red fox", ["the red fox", "the dog"]).tolist()[1]
    0.0
    """
    counts = [Counter(_words(text)) for text in texts]
    lengths = [sum(count.values()) for count in counts]
    mean = sum(lengths) / max(len(lengths), 1) or 1.0
    scores = torch.zeros(len(counts), dtype=torch.float64)
    for word in _words(question):
        having = sum(word in count for count in counts)
        idf = math.log(1 + (len(counts) - having + 0.5) / (having + 0.5))
        for row, (count, length) in enumerate(zip(counts, lengths, strict=True)):
            if word in count:
                damped = count[word] + k1 * (1 - b + b * length / mean)
                scores[row] += idf * count[word] * (k1 + 1) / damped
    return scores


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def counted_words(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the words that `WordIndex` counts: where each begins and ends, and the word in lower case.

    >>> list(counted_words("A red Fox"))
    [(2, 5, 'red'), (6, 9, 'fox')]
    """
    for match in _COUNTED.finditer(text):
        yield match.start(), match.end(), match.group().lower()


class WordIndex:
    r"""Texts as TF-IDF vectors, searched by the cosine with a question's vector.

    A word's weight is its count in the text times idf = ln((1 + N) / (1 + n)) + 1, where n of the N texts
    have it; each text's weights are scaled to length 1. Words are what `\b\w\w+\b` matches, in lower case:
    single letters aren't counted. Words that no text has don't count in a question.

    Source: Salton and Buckley 1988, table 1, "tfc"; idf and words as in scikit-learn's `TfidfVectorizer`.

    >>> index = WordIndex(["the red fox", "the dog"])
    >>> index.scores("a dog?").round(2).tolist()
    [0.0, 0.81]
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.size = len(texts)
        counts = [Counter(word for _, _, word in counted_words(text)) for text in texts]
        having = Counter(word for count in counts for word in count)
        self._idf = {
            word: math.log((1 + self.size) / (1 + texts_with)) + 1
            for word, texts_with in having.items()
        }
        rows: dict[str, list[int]] = {word: [] for word in having}
        weights: dict[str, list[float]] = {word: [] for word in having}
        for row, count in enumerate(counts):
            length = math.hypot(*(times * self._idf[word] for word, times in count.items()))
            for word, times in count.items():
                rows[word].append(row)
                weights[word].append(times * self._idf[word] / length)
        self._postings = {
            word: (np.array(rows[word]), np.array(weights[word], np.float32)) for word in having
        }

    def texts_with(self, word: str) -> int:
        """Return how many texts have a word, given in lower case."""
        return len(self._postings[word][0]) if word in self._postings else 0

    def scores(self, question: str) -> NDArray[np.float32]:
        """Return the cosine of each text with the question, `(N,)`; 0 for a text without its words."""
        scores = np.zeros(self.size, np.float32)
        for word, weight in self._weights(question).items():
            rows, weights = self._postings[word]
            scores[rows] += weight * weights
        return scores

    def added(self, question: str, row: int) -> dict[str, float]:
        """Return what each word of the question that some text has adds to the score of text `row`."""
        found = {}
        for word, weight in self._weights(question).items():
            rows, weights = self._postings[word]
            at = int(np.searchsorted(rows, row))
            there = at < len(rows) and rows[at] == row
            found[word] = weight * float(weights[at]) if there else 0.0
        return found

    def _weights(self, question: str) -> dict[str, float]:
        """The question's vector: its known words with their weights, of length 1."""
        counts = Counter(word for _, _, word in counted_words(question) if word in self._idf)
        weights = {word: times * self._idf[word] for word, times in counts.items()}
        length = math.hypot(*weights.values()) or 1.0
        return {word: weight / length for word, weight in weights.items()}
