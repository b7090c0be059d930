"""How near written texts are to their references: BLEU and chrF of a corpus, the word error rate.

BLEU and chrF equal sacrebleu's. Both compare n-grams, runs of n tokens or characters: how many of the
n-grams written the reference has too (precision), and how many of the reference's were written (recall).
An n-gram of the reference can be matched once. The counts are added up over the corpus before anything is
divided.

Sources: Papineni et al. 2002, "BLEU: a Method for Automatic Evaluation of Machine Translation", section
2.3; Popović 2015, "chrF: character n-gram F-score for automatic MT evaluation"; Post 2018, "A Call for
Clarity in Reporting BLEU Scores" (sacrebleu); Levenshtein 1966, "Binary Codes Capable of Correcting
Deletions, Insertions, and Reversals"; Wagner and Fischer 1974, "The String-to-String Correction Problem".
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

__all__ = ["chrf", "corpus_bleu", "word_error_rate"]


def corpus_bleu(candidates: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> float:
    """Return the BLEU-4 of token lists with one reference each, from 0 to 1, without smoothing.

    The geometric mean of the precisions of 1- to 4-grams, times exp(1 - r / c) where the c tokens
    written are fewer than the r tokens of the references. It is 0 where one of the precisions is. Of
    two strings the characters are the tokens. Raises ValueError unless each candidate has a reference.

    >>> round(corpus_bleu([["a", "b", "c", "d", "e"]], [["a", "b", "c", "d", "f"]]), 3)
    0.669
    """
    matched, written = [0] * 4, [0] * 4
    for candidate, reference in zip(candidates, references, strict=True):
        for n in range(1, 5):
            ours, theirs = _ngrams(candidate, n), _ngrams(reference, n)
            matched[n - 1] += (ours & theirs).total()
            written[n - 1] += ours.total()
    if 0 in matched:
        return 0.0
    log_precision = sum(math.log(a / b) for a, b in zip(matched, written, strict=True)) / 4
    missing = 1 - sum(map(len, references)) / sum(map(len, candidates))
    return math.exp(log_precision + min(0.0, missing))


def chrf(candidates: Sequence[str], references: Sequence[str]) -> float:
    """Return the chrF2 of texts with one reference each, from 0 to 1.

    The precisions of 1- to 6-grams of characters are averaged, the recalls too; the result is their
    F-score with beta = 2, in which recall counts twice as much as precision. Whitespace is left out.
    An n that no candidate or no reference is long enough for takes no part. Raises ValueError unless
    each candidate has a reference.

    >>> round(chrf(["1997年3月6日"], ["1997年3月6日星期四"]), 3)
    0.72
    """
    matched, written, expected = [0] * 6, [0] * 6, [0] * 6
    for candidate, reference in zip(candidates, references, strict=True):
        mine, right = "".join(candidate.split()), "".join(reference.split())
        for n in range(1, 7):
            ours, theirs = _ngrams(mine, n), _ngrams(right, n)
            matched[n - 1] += (ours & theirs).total()
            expected[n - 1] += theirs.total()
            written[n - 1] += ours.total() if theirs else 0  # as sacrebleu counts
    orders = [n for n in range(6) if written[n] and expected[n]]
    if not any(matched):
        return 0.0
    precision = sum(matched[n] / written[n] for n in orders) / len(orders)
    recall = sum(matched[n] / expected[n] for n in orders) / len(orders)
    return 5 * precision * recall / (4 * precision + recall)


def word_error_rate(written: Sequence[Sequence[str]], spoken: Sequence[Sequence[str]]) -> float:
    """Return the errors in all texts divided by the number of words spoken; it may be above 1.

    An error is a word changed, missing or too many; of the ways to count them, the fewest. Of two strings the
    characters are compared. Raises ValueError if the numbers of texts differ, or no word was spoken.

    >>> word_error_rate([["the", "cut", "sat", "too"]], [["the", "cat", "sat"]])  # 2 errors, 3 words
    0.6666666666666666
    """
    words = sum(map(len, spoken))
    if not words:
        raise ValueError("No word was spoken; the word error rate divides by the words spoken.")
    errors = sum(_fewest_edits(ours, theirs) for ours, theirs in zip(written, spoken, strict=True))
    return errors / words


def _fewest_edits(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """The fewest tokens to change, add or remove so that one text becomes the other."""
    row = list(range(len(theirs) + 1))  # from no token to the first j
    for i, token in enumerate(ours, start=1):
        before, row = row, [i]
        for j, other in enumerate(theirs, start=1):
            row.append(min(before[j - 1] + (token != other), before[j] + 1, row[j - 1] + 1))
    return row[-1]


def _ngrams(tokens: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))
