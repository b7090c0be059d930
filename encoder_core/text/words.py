"""From text to words: cleaned, lower-cased, accents stripped, cut at spaces and punctuation.

Each character of a word remembers where in the text it came from, so that a token can be shown in
its place however much the text was changed.

Which characters are letters, accents or punctuation is what Python's own Unicode tables say. The
`tokenizers` library's tables are those of Unicode 8: of the characters that came later, some rare
accents and punctuation are cut differently.

Source: Devlin et al. 2019, the code published with it (`BasicTokenizer`).
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
    """A word, and for each of its characters the index of the one in the text it came from.

    >>> Word("hi", (4, 5)).text
    'hi'
    """

    text: str
    places: tuple[int, ...]


def is_chinese(character: str) -> bool:
    """Tell whether a character is an ideograph, which BERT takes for a word by itself.

    Japanese kana and Korean hangul are written with spaces or not, and are not cut here.

    Args:
        character: one character.

    Returns:
        Whether it lies in one of the CJK blocks. (The original has `2B820` where the library,
        and so this function, has `2B920`.)

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
        or 0x2B920 <= code <= 0x2CEAF
        or 0xF900 <= code <= 0xFAFF
        or 0x2F800 <= code <= 0x2FA1F
    )


@functools.lru_cache(maxsize=65536)
def is_punctuation(character: str) -> bool:
    """Tell whether a character stands by itself: Unicode's punctuation and all ASCII signs.

    Args:
        character: one character.

    Returns:
        True for `$`, `+`, `^` and the like too, which Unicode calls symbols.

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
    r"""Clean one character: it becomes none, one or several.

    Args:
        character: one character.
        lowercase: whether capitals become small letters.
        strip_accents: whether a letter loses its accents.
        chinese: whether an ideograph becomes a word by itself.

    Returns:
        Nothing for a control character (or one of private use), a space for any white space, an
        ideograph between spaces, and otherwise the character, lower-cased and bare of accents.

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
    """Clean a text, character by character; see `normalise`.

    Args:
        text: any text.
        lowercase: whether capitals become small letters.
        strip_accents: whether letters lose their accents.
        chinese: whether each ideograph is a word.

    Returns:
        The letters that are left, each with the index of the character it came from.

    Source: Devlin et al. 2019, the code published with it (`BasicTokenizer.tokenize`).

    >>> list(normalise_text("Éa"))
    [('e', 0), ('a', 1)]
    """
    for place, character in enumerate(text):
        for letter in normalise(character, lowercase, strip_accents, chinese):
            yield letter, place


def join_letters(letters: Iterable[tuple[str, int]]) -> Iterator[Word]:
    """Join cleaned letters to words, which end at spaces; each sign of punctuation is a word.

    Args:
        letters: letters and where they came from; see `normalise_text`.

    Returns:
        The words in their order.

    Source: Devlin et al. 2019, the code published with it (`BasicTokenizer.tokenize`).

    >>> [word.text for word in join_letters(normalise_text("so, so"))]
    ['so', ',', 'so']
    """
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
    """Cut a text into words; each sign of punctuation and each ideograph is a word.

    Args:
        text: any text.
        lowercase: whether capitals become small letters.
        strip_accents: whether letters lose their accents.
        chinese: whether each ideograph is a word.

    Returns:
        The words in their order, each with the places of its characters in `text`.

    Source: Devlin et al. 2019, the code published with it (`BasicTokenizer.tokenize`).

    >>> [word.text for word in split_words("Café, 你好!")]
    ['cafe', ',', '你', '好', '!']
    """
    return join_letters(normalise_text(text, lowercase, strip_accents, chinese))
