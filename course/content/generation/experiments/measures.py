"""How near written sentences are to the ones that were meant: BLEU, and the share of exact ones.

BLEU counts runs of one to four words: see `encoder_core.generation.scores`.
"""

from __future__ import annotations

from collections.abc import Sequence

from encoder_core.generation.scores import corpus_bleu

__all__ = ["bleu", "exact"]

Words = Sequence[str]


def bleu(written: Sequence[Words], references: Sequence[Words]) -> float:
    """Return the corpus BLEU-4, from 0 to 1, of sentences with one reference each."""
    return corpus_bleu(written, references)


def exact(written: Sequence[Words], references: Sequence[Words]) -> float:
    """Return the share of sentences that are the reference, word by word."""
    same = sum(list(a) == list(b) for a, b in zip(written, references, strict=True))
    return same / len(references)
