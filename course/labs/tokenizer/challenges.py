"""The tokenizer lab's tasks."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from course.labs.challenges import Challenge, Tasks
from course.labs.checkpoints import MINILM
from course.labs.tokenizer.compute import Settings, Tokens

WORDS, ENTRIES, PIECES = 8, 800, 5
UNKNOWN = ("[UNK]",)


def _same_token(lab: Any) -> bool:
    """Two different words are unknown to WordPiece, and so are one token."""
    seen: tuple[Settings, Any, Tokens] = lab.pictured()
    asked, _, tokens = seen
    return (
        asked.kind != "words" and len({token.text for token in tokens.tokens if token.unknown}) > 1
    )


def _more_pieces(lab: Any) -> bool:
    """The chosen word has more pieces in a larger vocabulary."""
    cuts = [pieces for _, pieces in lab.history() if pieces != UNKNOWN]
    return any(len(larger) > len(smaller) for smaller, larger in combinations(cuts, 2))


def _whole_words(lab: Any) -> bool:
    """Eight different words, each one piece of a small vocabulary."""
    seen: tuple[Settings, Any, Tokens] = lab.pictured()
    asked, _, tokens = seen
    words = {word for word in tokens.words if word.isalpha()}
    small = asked.kind == "wordpiece" and asked.size <= ENTRIES and not tokens.unknown
    return small and len(words) >= WORDS and len(tokens.tokens) == len(tokens.words)


def _five_pieces(lab: Any) -> bool:
    """MiniLM's tokenizer needs five pieces for one word."""
    seen: tuple[Settings, Any, Tokens] = lab.pictured()
    asked, _, tokens = seen
    places = [token.word for token in tokens.tokens]
    shown = asked.kind == "minilm" and asked.checkpoint == MINILM
    return shown and max(map(places.count, places), default=0) >= PIECES


TASKS = Tasks(
    "tokenizer",
    (
        Challenge(
            "five-pieces",
            "Type a word, your name or one that you make up, for which MiniLM needs five pieces.",
            "Choose MiniLM's vocabulary. What is rare and long in English is cut most.",
            "A word that nobody has written before is still read, in pieces that are known. What is "
            "rare costs more tokens.",
            _five_pieces,
        ),
        Challenge(
            "more-pieces",
            "Find a word that a larger vocabulary cuts into more pieces than a smaller one. Choose "
            "one of its pieces, so that its history is drawn.",
            "Take words of programming, with WordPiece trained here: default, subject, present, less. "
            "Read the history line by line.",
            "WordPiece is greedy: it takes the longest piece that fits at the beginning. A new, "
            "longer piece there can leave a rest that needs more pieces than before.",
            _more_pieces,
        ),
        Challenge(
            "same-token",
            "With either WordPiece, make two different words indistinguishable: the model gets the same "
            "token for both.",
            "What has letters can be cut into letters. WordPiece gives up at a sign that its vocabulary "
            "lacks: type some of other scripts, or emoji.",
            "Both are [UNK], and no layer above can tell them apart. With whole words that happens to "
            "every rare word, with pieces to rare signs only, and with bytes never.",
            _same_token,
        ),
        Challenge(
            "whole-words",
            "Write a text of at least eight different words that WordPiece, trained here with 800 "
            "entries at most, leaves whole.",
            "What is frequent in Python's documentation is learned as one piece: the, of, is, value, "
            "name.",
            "Training joins what often stands side by side, so frequent words are whole first. That "
            "is why few entries cover much of a text.",
            _whole_words,
        ),
    ),
)
