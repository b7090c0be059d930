"""The spaces between words, guessed: what a tokenizer throws away and its ids do not tell."""

from __future__ import annotations

from collections.abc import Sequence

from encoder_core.text.words import is_chinese, is_punctuation

__all__ = ["join_as_written"]

_BEFORE = set(".,;:!?)]}%…”»")  # no space before these
_AFTER = set("([{$#@“«")  # ... and none after these
_WIDE = set("、。，；：！？（）【】《》「」『』")  # as wide as an ideograph: none on either side
_WITHIN = set("-/_")  # none around these, between two words
_IN_NUMBERS = set(".,:")  # none around these, between two digits
_QUOTES = set("\"'’`")
_SHORTENED = {"s", "t", "re", "ve", "ll", "d", "m"}  # what follows the apostrophe in it's, don't


def join_as_written(words: Sequence[str]) -> str:
    """Join words with a space where people mostly write one.

    >>> join_as_written(["don", "'", "t", "(", "3", ".", "5", ")", "你", "好"])
    "don't (3.5) 你好"
    """
    text, open_quotes = "", set[str]()
    for place, word in enumerate(words):
        before, earlier = (words[place - i] if place >= i else "" for i in (1, 2))
        after = words[place + 1] if place + 1 < len(words) else ""
        apostrophe = word in _QUOTES and _plain(before) and after in _SHORTENED
        joined = not before or word in _BEFORE or before in _AFTER
        joined |= before in _WIDE or word in _WIDE
        joined |= is_chinese(before[-1:] or " ") and is_chinese(word[:1] or " ")
        joined |= word in _WITHIN and _plain(before) and _plain(after)
        joined |= before in _WITHIN and _plain(earlier) and _plain(word)
        joined |= before in _IN_NUMBERS and earlier[-1:].isdigit() and word[:1].isdigit()
        joined |= word == before and word in _WITHIN | _BEFORE | _QUOTES  # --, ..., ``
        joined |= before == "_" or (word == "(" and after == ")")
        joined |= apostrophe or (before in _QUOTES and word in _SHORTENED and _plain(earlier))
        joined |= before in open_quotes or word in open_quotes
        if word in _QUOTES and not apostrophe:
            open_quotes ^= {word}  # the second of two closes
        text += word if joined else f" {word}"
    return text


def _plain(word: str) -> bool:
    """Whether a word is one of letters or digits."""
    return bool(word) and not is_punctuation(word[0])
