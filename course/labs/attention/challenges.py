"""The attention lab's tasks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from course.labs.attention.compute import Arrays
from course.labs.attention.measures import changes
from course.labs.attention.settings import Selection, Settings
from course.labs.challenges import Challenge, Tasks

PRONOUNS = frozenset(
    ["i", "you", "he", "she", "it", "we", "they", "me", "him", "her", "us", "them", "who"]
)
FEWEST = 8  # tokens of a text in which a habit of a head can be seen
PREVIOUS, PADDED, MOVED, ROOT = 0.5, 0.5, 0.3, 0.03


def _previous_word(lab: Any) -> bool:
    """The chosen head's mean weight on the token before, in a text without a painted mask."""
    seen: tuple[Settings, Selection, Arrays] = lab.pictured()
    asked, chosen, arrays = seen
    real = arrays.tokens.real
    if asked.mask == "painted" or real < FEWEST:
        return False
    weights = arrays.weights[chosen.layer, chosen.head]  # (L, L)
    return float(weights[np.arange(1, real), np.arange(real - 1)].mean()) > PREVIOUS


def _one_cell(lab: Any) -> bool:
    """One blocked cell, where a pronoun's score is largest, and another word now weighs most."""
    seen: tuple[Settings, Selection, Arrays] = lab.pictured()
    asked, chosen, arrays = seen
    labels, blocked = arrays.tokens.labels, arrays.blocked[chosen.layer]
    pronoun = labels[chosen.query].lower() in PRONOUNS
    if asked.mask != "painted" or blocked.sum() != 1 or not pronoun:
        return False
    at = chosen.layer, chosen.head
    scores = arrays.key[at] @ arrays.query[at][chosen.query] * arrays.factor  # (L,)
    before, now = int(scores.argmax()), int(arrays.weights[at][chosen.query].argmax())
    return (
        bool(blocked[chosen.query, before]) and labels[before].isalpha() and labels[now].isalpha()
    )


def _no_root(lab: Any) -> bool:
    """No root, and a temperature that does what the root does."""
    seen: tuple[Settings, Selection, Arrays] = lab.pictured()
    asked, _, arrays = seen
    return not asked.scaled and abs(arrays.factor * math.sqrt(arrays.head_dim) - 1) < ROOT


def _to_padding(lab: Any) -> bool:
    """The chosen word gives most of its weight to [PAD]."""
    seen: tuple[Settings, Selection, Arrays] = lab.pictured()
    _, chosen, arrays = seen
    real = arrays.tokens.real
    if chosen.query >= real or not arrays.tokens.labels[chosen.query].isalpha():
        return False
    row = arrays.weights[chosen.layer, chosen.head, chosen.query]  # (L,)
    return float(row[real:].sum()) > PADDED


def _head_off(lab: Any) -> bool:
    """One head is off, and some token's output moves by more than `MOVED` of its length."""
    seen: tuple[Settings, Selection, Arrays] = lab.pictured()
    arrays = seen[2]
    return len(arrays.off) == 1 and float(changes(arrays)[: arrays.tokens.real, 1].max()) > MOVED


TASKS = Tasks(
    "attention",
    (
        Challenge(
            "previous-word",
            "Find a head that looks at the previous token: in a text of at least 8 tokens, a mean "
            "weight of more than 0.5 on it.",
            "A line of bright cells just below the diagonal. Look for it among the small pictures.",
            "This head goes by the place and hardly by the words: type another text, and the line "
            "stays. In MiniLM it is layer 0, head 2, where the positions that were added to the "
            "tokens are still fresh.",
            _previous_word,
        ),
        Challenge(
            "one-cell",
            "Block one single cell, so that a pronoun such as “she” looks most at another word than "
            "before: at Peter, say, and no longer at Anna.",
            "Choose the pronoun's row and the mask “painted”; space blocks the chosen cell. Where "
            "the most weight then goes to [CLS] or to a sign, try another head: layer 3, head 7, or "
            "layer 5, head 4.",
            "A blocked score is −∞, so its weight is 0. The softmax divides the whole row among "
            "the keys that are left, and the second becomes the first.",
            _one_cell,
        ),
        Challenge(
            "no-root",
            "Untick “divide by √dₖ” and undo it with the temperature.",
            "The temperature goes up to 5, and √32 of MiniLM is more. A fresh encoder can have "
            "narrower heads: dₖ is d_model divided by the heads.",
            "Without the root all scores are √dₖ times as large, which a temperature of √dₖ takes "
            "back. In MiniLM no root is a temperature of 1/√32 ≈ 0.18, for which it was never trained: "
            "in the sentence about the bank, the mean of the rows' largest weights goes from 0.53 to "
            "0.91.",
            _no_root,
        ),
        Challenge(
            "to-padding",
            "Let a word give more than half of its weight to [PAD].",
            "Mask “none”, and many [PAD] tokens. Look at several layers and heads, the first layers "
            "too.",
            "To attention, [PAD] is a token like any other: eight of them get 3 % of “she” in layer 1, "
            "head 3, and most of some rows elsewhere. The mask “padding” makes their weights 0 in every "
            "layer and head.",
            _to_padding,
        ),
        Challenge(
            "head-off",
            "Switch off one single head, so that some token's output vector moves by more than 30 % "
            "of its length.",
            "The table below says how far each token moves. A sharp picture is no sign: begin with "
            "the last layer.",
            "The look of a head doesn't tell what it does. In “Anna asked Peter to wait at the bank "
            "because she had no money.” the sharp head 2 of layer 0 moves no token by more than 11 %, "
            "and the blur of layer 5, head 9 moves one by 36 %.",
            _head_off,
        ),
    ),
)
