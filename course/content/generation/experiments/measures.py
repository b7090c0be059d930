"""How near written sentences are to the ones that were meant: BLEU, and the share of exact ones.

BLEU counts runs of one to four words. Of each length it takes the share of the runs written that the
reference has too, a run of the reference counting once; the geometric mean of the four shares is
multiplied with a penalty where the whole is too short. Equal to sacrebleu's without smoothing.

Source: Papineni et al. 2002, "BLEU: a Method for Automatic Evaluation of Machine Translation",
section 2.3; Post 2018, "A Call for Clarity in Reporting BLEU Scores".
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

__all__ = ["bleu", "exact"]

Words = Sequence[str]


def bleu(written: Sequence[Words], references: Sequence[Words]) -> float:
    """Return the corpus BLEU-4, from 0 to 1, of sentences with one reference each.

    >>> round(bleu([["a", "b", "c", "d", "e"]], [["a", "b", "c", "d", "f"]]), 3)
    0.669
    """
    shared, all_runs = [0] * 4, [0] * 4
    for mine, right in zip(written, references, strict=True):
        for length in range(1, 5):
            ours, theirs = _runs(mine, length), _runs(right, length)
            shared[length - 1] += (ours & theirs).total()
            all_runs[length - 1] += ours.total()
    if 0 in shared:
        return 0.0
    precision = sum(math.log(a / b) for a, b in zip(shared, all_runs, strict=True)) / 4
    missing = 1 - sum(map(len, references)) / sum(map(len, written))
    return math.exp(precision + min(0.0, missing))


def _runs(words: Words, length: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + length]) for i in range(len(words) - length + 1))


def exact(written: Sequence[Words], references: Sequence[Words]) -> float:
    """Return the share of sentences that are the reference, word by word."""
    same = sum(list(a) == list(b) for a, b in zip(written, references, strict=True))
    return same / len(references)
