"""Which part of a documentation text is prose, and that part as plain paragraphs.

The rules, in this order:

1. Blank lines end a paragraph; so does the next item of a list.
2. A paragraph ends where a doctest (`>>>`) begins.
3. Lines that are a signature, such as `join(a, *p) -> str`, are dropped. A call that is a line of a
   program looks the same; what is left of the program may then pass for prose, as it does in about ten
   documents of the snapshot.
4. A paragraph is dropped if it is a Python program, has a ruled line, a table's columns, a grammar
   rule, an e-mail address or a character outside ASCII, has fewer than `FEWEST_WORDS` words, or if less
   than `SHARE_OF_WORDS` of what stands between its spaces are words.
5. Marks are removed: `*emphasis*`, ``` ``code`` ```, `:class:` and the like, the sign before a list item.

Before all that, typographic quotes, dashes and dots become ASCII.
"""

from __future__ import annotations

import ast
import re
import textwrap

__all__ = ["FEWEST_WORDS", "SHARE_OF_WORDS", "paragraphs"]

FEWEST_WORDS = 4
SHARE_OF_WORDS = 0.7

_ITEM = re.compile(r"\s*(?:[*\-+•]|\d{1,2}[.)]|\(\d{1,2}\))\s+(?=\S)")
_SIGNATURE = re.compile(
    r"\s*(?:(?:class|exception|coroutine|async|await) )*[\w.]+\s?(?:\(.*\)|\[.*\])(?:\s*->.*)?:?"
)
_NO_PROSE = re.compile(
    r"[=\-+*~^|_#.]{4,}|::=|\S {3,}\S+ {3,}\S|\S+@\S+\.\S+|^\s*[|+]", re.MULTILINE
)
_WORD = re.compile(r"[\"'(\[]*[A-Za-z]+(?:['\-/][A-Za-z]+)*[\"')\],.;:!?]*")
_MARKS = (
    (re.compile(r":[a-z:]+:`~?([^`]*)`"), r"\1"),  # :class:`Name`
    (re.compile(r"`+([^`]+?)[`']+"), r"\1"),  # `name`, ``name``, `name'
    (re.compile(r"(?<![\w*])\*{1,2}(\w[^*\n]*?)\*{1,2}(?![\w*])"), r"\1"),  # *emphasis*
)
_TYPOGRAPHIC = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\xa0": " "}
)


def paragraphs(text: str) -> list[str]:
    r"""Return the paragraphs of a documentation text that are prose, one line each.

    >>> paragraphs("join(a, *p)\n\nJoin two\nor more *paths*.\n\n    >>> join('a', 'b')\n    'a/b'\n")
    ['Join two or more paths.']
    """
    blocks = re.split(r"\n[ \t]*\n", text.translate(_TYPOGRAPHIC).expandtabs())
    found = [item for block in blocks for item in _items(block)]
    return [_plain(item) for item in found if _is_prose(item)]


def _items(block: str) -> list[str]:
    """Split a block of lines into the items of a list, where it is one; drop signatures and doctests."""
    items: list[list[str]] = [[]]
    for line in block.split("\n"):
        if line.lstrip().startswith(">>>"):
            break
        if _ITEM.match(line):
            items.append([])
        if not _SIGNATURE.fullmatch(line):
            items[-1].append(line)
    return ["\n".join(lines) for lines in items if lines]


def _is_prose(block: str) -> bool:
    if not block.isascii() or _NO_PROSE.search(block) or _is_program(block):
        return False
    tokens = _plain(block).split()
    words = sum(_WORD.fullmatch(token) is not None for token in tokens)
    return words >= FEWEST_WORDS and words >= SHARE_OF_WORDS * len(tokens)


def _is_program(block: str) -> bool:
    try:
        ast.parse(textwrap.dedent(block))
    except (SyntaxError, ValueError):
        return False
    return True


def _plain(block: str) -> str:
    """Take the marks out of a paragraph and put it on one line."""
    item = _ITEM.match(block)
    text = " ".join(block[item.end() if item else 0 :].split())
    for mark, kept in _MARKS:
        text = mark.sub(kept, text)
    return text.removesuffix("::") + ":" if text.endswith("::") else text
