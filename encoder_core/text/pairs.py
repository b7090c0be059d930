"""Pairs of sentences: how BERT joins them, and examples for next-sentence prediction.

Source: Devlin et al. 2019, "BERT", section 3.1, task 2, and the published code
(`truncate_seq_pair`, which cuts the longer sentence one token at a time).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch

__all__ = ["next_sentence_pairs", "sentence_pair"]

Sentence = TypeVar("Sentence")


def sentence_pair(
    first: list[int], second: list[int], cls_id: int, sep_id: int, max_length: int
) -> tuple[list[int], list[int]]:
    """Return the ids `[CLS] first [SEP] second [SEP]` and their types, 0 through the first `[SEP]`.

    At most `max_length` ids: tokens are dropped one at a time from the end of the longer sentence, of
    two equally long ones from the second. Raises ValueError if `max_length` is less than 3.

    >>> sentence_pair([5, 6, 7], [8, 9], cls_id=2, sep_id=3, max_length=7)
    ([2, 5, 6, 3, 8, 9, 3], [0, 0, 0, 0, 1, 1, 1])
    """
    if max_length < 3:
        raise ValueError(f"max_length={max_length} has no room for [CLS], [SEP] and [SEP].")
    room = max_length - 3
    # The shorter one is whole unless it is more than half; an odd half is the first sentence's.
    short = max(room // 2, room - len(first))  # what the second may have
    second = second[:short]
    first = first[: room - len(second)]
    types = [0] * (len(first) + 2) + [1] * (len(second) + 1)
    return [cls_id, *first, sep_id, *second, sep_id], types


def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], generator: torch.Generator | None = None
) -> list[tuple[Sentence, Sentence, bool]]:
    """Pair each sentence with the next of its document, or, in half of the cases, with another.

    The third value is whether it is the next. The other sentence is of another document, if there is
    one, else any of the same that is neither the sentence nor its next. Sentences may be texts or id
    lists. Raises ValueError if there is no other sentence to take.

    >>> pairs = next_sentence_pairs([["a", "b", "c"], ["x", "y"]])
    >>> [first for first, _, _ in pairs]
    ['a', 'b', 'x']
    """
    everywhere = [(number, place) for number, d in enumerate(documents) for place in range(len(d))]
    pairs = []
    for number, document in enumerate(documents):
        others = [at for at in everywhere if at[0] != number]
        for place in range(len(document) - 1):
            if torch.rand((), generator=generator) < 0.5:
                pairs.append((document[place], document[place + 1], True))
                continue
            free = others or [at for at in everywhere if at[1] not in (place, place + 1)]
            if not free:
                raise ValueError(
                    "There is no sentence beside the next one: give a second document, or one of at "
                    "least three sentences."
                )
            there, at = free[int(torch.randint(len(free), (), generator=generator))]
            pairs.append((document[place], documents[there][at], False))
    return pairs
