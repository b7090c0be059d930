"""Search by words: BM25, what a search engine without a network does, for comparison."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["bm25"]


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
