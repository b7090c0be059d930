"""Translations and their references for the exercises on scores, and what is counted in them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

Text = Sequence[str]  # a text of words, or a string of characters


def words(text: str, joined: str = " ") -> list[str]:
    """A text cut at spaces, or into characters where nothing joins them."""
    return text.split() if joined else list(text)


def ngrams(text: Text, n: int) -> Counter[tuple[str, ...]]:
    """How often each n-gram stands in a text."""
    return Counter(tuple(text[i : i + n]) for i in range(len(text) - n + 1))


def counts(
    candidates: Sequence[Text], references: Sequence[Text], order: int
) -> tuple[list[int], list[int]]:
    """Of n = 1 to `order`: the candidates' n-grams that the references have too, and all."""
    shared, written = [0] * order, [0] * order
    for candidate, reference in zip(candidates, references, strict=True):
        for n in range(1, order + 1):
            ours = ngrams(candidate, n)
            shared[n - 1] += sum((ours & ngrams(reference, n)).values())
            written[n - 1] += sum(ours.values())
    return shared, written


def repeats(candidates: Sequence[Text], order: int) -> bool:
    """Whether a candidate has an n-gram, n at most `order`, more than once."""
    return any(
        count > 1
        for candidate in candidates
        for n in range(1, order + 1)
        for count in ngrams(candidate, n).values()
    )


def drawn(
    seed: int, vocabulary: Sequence[str], pairs: int, lengths: tuple[int, int], joined: str = " "
) -> list[str]:
    """Pairs "candidate|reference": each candidate is its reference with a few words changed, left out or added."""
    choose = random.Random(seed)
    made = []
    for _ in range(pairs):
        reference = choose.choices(vocabulary, k=choose.randint(*lengths))
        candidate = list(reference)
        for _ in range(len(reference) // 4):
            place = choose.randrange(len(candidate))
            new = choose.choices(vocabulary, k=choose.choice([0, 1, 1, 2]))
            candidate[place : place + 1] = new
            if not candidate:
                candidate = [choose.choice(vocabulary)]
        made.append(f"{joined.join(candidate)}|{joined.join(reference)}")
    return made
