"""Split text into words as BERT does: clean, lower-case, strip accents, split at punctuation.

Each character of a word keeps its index in the text, so that a token maps back to its span.

Character classes are those of `unicodedata`. The `tokenizers` library has the tables of Unicode 8,
so it splits a few rare accents and punctuation marks of later versions differently.

Source: Devlin et al. 2019, the published code (`BasicTokenizer`).
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = [
    "Word",
    "is_chinese",
    "is_punctuation",
    "join_letters",
    "normalise",
    "normalise_text",
    "split_words",
]


class Word(NamedTuple):
    """A word and, for each of its characters, the index in the text that it was made from."""

    text: str
    places: tuple[int, ...]


def is_chinese(character: str) -> bool:
    """Return whether BERT treats a character as a word by itself: CJK ideographs, not kana or hangul.

    >>> is_chinese("你"), is_chinese("か")
    (True, False)
    """
    code = ord(character)
    return (
        0x4E00 <= code <= 0x9FFF
        or 0x3400 <= code <= 0x4DBF
        or 0x20000 <= code <= 0x2A6DF
        or 0x2A700 <= code <= 0x2B73F
        or 0x2B740 <= code <= 0x2B81F
        or 0x2B920 <= code <= 0x2CEAF  # as in `tokenizers`; BERT's code has 2B820
        or 0xF900 <= code <= 0xFAFF
        or 0x2F800 <= code <= 0x2FA1F
    )


@functools.lru_cache(maxsize=65536)
def is_punctuation(character: str) -> bool:
    """Return whether a character is a word by itself: Unicode punctuation and all ASCII symbols.

    >>> is_punctuation("$"), is_punctuation("€")
    (True, False)
    """
    if character.isascii():
        return not character.isalnum() and character.isprintable() and character != " "
    return unicodedata.category(character).startswith("P")


@functools.lru_cache(maxsize=65536)
def normalise(
    character: str, lowercase: bool = True, strip_accents: bool = True, chinese: bool = True
) -> str:
    r"""Normalise one character to zero or more characters.

    Control and private-use characters are dropped, white space becomes a space, and with `chinese`
    an ideograph gets a space on both sides.

    >>> normalise("É"), normalise("你"), normalise("\x00"), normalise("\t")
    ('e', ' 你 ', '', ' ')
    """
    if character in "\t\n\r" or (character.isspace() and unicodedata.category(character) != "Cc"):
        return " "
    if character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs"):
        return ""
    bare = character
    if strip_accents:
        parts = unicodedata.normalize("NFD", character)  # a letter, then its accents
        bare = "".join(part for part in parts if unicodedata.category(part) != "Mn")
    if lowercase:
        bare = "".join(part.lower() for part in bare)
    return f" {bare} " if chinese and is_chinese(character) else bare


def normalise_text(
    text: str, lowercase: bool = True, strip_accents: bool = True, chinese: bool = True
) -> Iterator[tuple[str, int]]:
    """Yield the characters of a normalised text, each with its index in `text`; see `normalise`.

    >>> list(normalise_text("Éa"))
    [('e', 0), ('a', 1)]
    """
    for place, character in enumerate(text):
        for letter in normalise(character, lowercase, strip_accents, chinese):
            yield letter, place


def join_letters(letters: Iterable[tuple[str, int]]) -> Iterator[Word]:
    """Group the output of `normalise_text` into words; each punctuation mark is a word of its own."""
    word: list[str] = []
    places: list[int] = []
    for letter, place in letters:
        alone = is_punctuation(letter)
        if word and (alone or letter.isspace()):
            yield Word("".join(word), tuple(places))
            word, places = [], []
        if alone:
            yield Word(letter, (place,))
        elif not letter.isspace():
            word.append(letter)
            places.append(place)
    if word:
        yield Word("".join(word), tuple(places))


def split_words(
    text: str, lowercase: bool = True, strip_accents: bool = True, chinese: bool = True
) -> Iterator[Word]:
    """Normalise a text and split it into words; see `normalise` for the settings.

    >>> [word.text for word in split_words("Café, 你好!")]
    ['cafe', ',', '你', '好', '!']
    """
    return join_letters(normalise_text(text, lowercase, strip_accents, chinese))
