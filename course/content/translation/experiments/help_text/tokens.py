"""Pieces of English and Chinese, in one vocabulary, so that a name can be copied from one to the other."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from pathlib import Path

from course import datasets

__all__ = [
    "BOS",
    "EOS",
    "PAD",
    "SPECIALS",
    "UNKNOWN",
    "VOCABULARY",
    "decode",
    "encode",
    "encode_source",
    "is_chinese",
    "join",
    "longest",
    "pieces",
    "source_words",
    "words",
    "written",
]  # fmt: skip

VOCABULARY = Path(__file__).with_name("vocabulary.txt")
SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
PAD, UNKNOWN, BOS, EOS = range(4)

_WORD = re.compile(r"[A-Za-z0-9]+|[\u4e00-\u9fff]+|\S")


def words(text: str) -> list[str]:
    """Cut a text into runs of Latin letters and digits, runs of Chinese characters, and single marks.

    >>> words("通过 Python 打开。")
    ['通过', 'Python', '打开', '。']
    """
    return _WORD.findall(text)


def source_words(text: str) -> list[str]:
    """Cut an English text; a capital is kept in names alone: words that the Chinese texts often keep.

    >>> source_words("Open the Writer"), source_words("Select all")
    (['open', 'the', 'Writer'], ['select', 'all'])
    """
    names = _names()
    return [word.lower() if word.istitle() and word not in names else word for word in words(text)]


@functools.cache
def _names() -> frozenset[str]:
    """Return the words with a capital that stand in Chinese at least a fifth as often as in English."""
    train = datasets.load("libreoffice-help").train
    english, chinese = (
        Counter(word for text in side for word in words(text) if word.istitle())
        for side in ([e.text for e in train], [e.target for e in train])
    )
    return frozenset(word for word, count in english.items() if 5 * chinese[word] >= count)


def is_chinese(sign: str) -> bool:
    """Whether a sign is a Chinese character."""
    return "\u4e00" <= sign <= "\u9fff"


@functools.cache
def pieces() -> dict[str, int]:
    """Return the number of each piece."""
    lines = VOCABULARY.read_text(encoding="utf-8").splitlines()
    return {piece: number for number, piece in enumerate(lines)}


@functools.cache
def written() -> int:
    """Return how many pieces, the first, a Chinese text is written with."""
    train = datasets.load("libreoffice-help").train
    return 1 + max(n for e in train for n in encode(e.target))


def longest(word: str, known: Container[str]) -> list[str]:
    """Cut a word into the longest known pieces, from the left; what is not known is one `[UNK]`.

    Within a word of Latin letters pieces begin with `##`.
    """
    found: list[str] = []
    start, latin = 0, word.isascii() and word.isalnum()
    while start < len(word):
        mark = "##" if start and latin else ""
        end = next((e for e in range(len(word), start, -1) if mark + word[start:e] in known), 0)
        found.append(mark + word[start:end] if end else "[UNK]")
        start = end or start + 1
    return found


@functools.lru_cache(maxsize=100_000)
def _numbers(word: str) -> tuple[int, ...]:
    known = pieces()
    return tuple(known[piece] for piece in longest(word, known))


def encode(text: str) -> list[int]:
    """Return the pieces of a Chinese text, and `EOS` after them."""
    return [*(number for word in words(text) for number in _numbers(word)), EOS]


def encode_source(text: str) -> list[int]:
    """Return the pieces of an English text, and `EOS` after them."""
    return [*(number for word in source_words(text) for number in _numbers(word)), EOS]


@functools.cache
def _names_of_numbers() -> Sequence[str]:
    return tuple(pieces())


def decode(numbers: Iterable[int]) -> str:
    """Return the text that pieces stand for; `EOS` is not among them."""
    names = _names_of_numbers()
    return join([names[number] for number in numbers])


def join(parts: Iterable[str]) -> str:
    """Join pieces: a space stands between Latin words, and between one and a Chinese character.

    >>> join(["通过", "Py", "##thon", "打开", "。"])
    '通过 Python 打开。'
    """
    text = ""
    for part in parts:
        if part.startswith("##") and len(part) > 2:
            text += part[2:]
        else:
            apart = bool(text) and _runs(text[-1], part[0])
            text += (" " if apart else "") + part
    return text


def _runs(left: str, right: str) -> bool:
    """Whether a space stands between two signs."""
    latin = [sign.isascii() and sign.isalnum() for sign in (left, right)]
    return all(latin) or (any(latin) and (is_chinese(left) or is_chinese(right)))
