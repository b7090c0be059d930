"""Make the vocabulary again: `python -m course.content.translation.experiments.help_text.build`.

It is trained on the training split alone. Words of Latin letters and digits are cut as WordPiece cuts
them; runs of Chinese characters by byte-pair encoding without the marks of WordPiece, so that a piece is
the same wherever it stands.

Source: Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words with Subword Units",
section 3.2, algorithm 1.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from course import datasets
from course.content.translation.experiments.help_text.tokens import (
    SPECIALS,
    VOCABULARY,
    is_chinese,
    longest,
    source_words,
    words,
)
from course.system import files
from encoder_core.text.wordpiece_training import train_wordpiece

__all__ = ["merged", "vocabulary"]

LATIN = 2800  # pieces of Latin letters and digits, about
CHINESE = 1600  # merges of Chinese characters
FEWEST = 3  # a sign that is rarer is unknown


def vocabulary() -> list[str]:
    """Return the pieces: first the special ones, then those that Chinese texts use, then the others."""
    train = datasets.load("libreoffice-help").train
    english = Counter(word for example in train for word in source_words(example.text))
    chinese = Counter(word for example in train for word in words(example.target))
    latin = Counter({w: n for w, n in (english + chinese).items() if w.isascii() and w.isalnum()})
    wordpiece = train_wordpiece(latin, LATIN, lowercase=False)
    pieces = [piece for piece in wordpiece.vocabulary if piece not in wordpiece.specials]
    signs = Counter(
        sign
        for word, count in (english + chinese).items()
        if word not in latin
        for sign in word
        for _ in range(count)
    )
    pieces += sorted(sign for sign, count in signs.items() if count >= FEWEST)
    runs = Counter({word: n for word, n in chinese.items() if is_chinese(word[0])})
    pieces += merged(runs, CHINESE)
    known = dict.fromkeys(pieces)
    used = {piece for word in chinese for piece in longest(word, known)}
    first = [piece for piece in known if piece in used]
    return [*SPECIALS, *first, *(piece for piece in known if piece not in used)]


def merged(runs: Counter[str], count: int) -> list[str]:
    """Return the pieces that `count` merges of the most frequent neighbours make, in their order.

    >>> merged(Counter({"abab": 2, "abc": 1}), 2)
    ['ab', 'abab']
    """
    spelt = {run: list(run) for run in sorted(runs)}
    pairs: Counter[tuple[str, str]] = Counter()
    for run, parts in spelt.items():
        _add(pairs, parts, runs[run])
    found = []
    for _ in range(count):
        first, second = max(pairs, key=lambda pair: (pairs[pair], pair))
        new = first + second
        for run, parts in spelt.items():
            if new in run and (first, second) in pairwise(parts):
                _add(pairs, parts, -runs[run])
                spelt[run] = parts = _joined(parts, first, second)
                _add(pairs, parts, runs[run])
        found.append(new)
    return found


def _add(pairs: Counter[tuple[str, str]], parts: list[str], count: int) -> None:
    for pair in pairwise(parts):
        pairs[pair] += count


def _joined(parts: list[str], first: str, second: str) -> list[str]:
    found: list[str] = []
    place = 0
    while place < len(parts):
        both = parts[place : place + 2] == [first, second]
        found.append(first + second if both else parts[place])
        place += 2 if both else 1
    return found


if __name__ == "__main__":
    lines = vocabulary()
    files.write(VOCABULARY, ("\n".join(lines) + "\n").encode())
    print(f"{len(lines):,} pieces: {VOCABULARY}")
