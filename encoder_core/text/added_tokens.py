"""Added tokens: texts that are one token each, looked for before anything else is cut.

`[MASK]` in a text is the token `[MASK]`; a vocabulary that was extended for a field of its own finds
its words in the same way.

Source: the `tokenizers` library, `AddedToken` and `added_vocabulary.rs`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

__all__ = ["AddedToken", "AddedTokens"]


@dataclass(frozen=True)
class AddedToken:
    """A text that becomes one token.

    Args:
        content: the text.
        special: whether `decode` leaves it out.
        single_word: whether letters may not stand directly before or after it.
        lstrip: whether it takes the spaces before it too.
        rstrip: whether it takes the spaces after it too.
        normalized: whether it is looked for in the normalised text (lower-cased and so on) and not
            in the text as it is written.
        number: its id; None where it is in the vocabulary, or gets the next that is free.

    Source: see the file.

    >>> AddedToken("[MASK]", lstrip=True).special
    True
    """

    content: str
    special: bool = True
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = False
    number: int | None = None


class AddedTokens:
    """Finds added tokens in a text: the leftmost first, and of those the longest.

    Args:
        tokens: what to look for.
        normalise: what is done to the tokens' own texts before they are looked for.

    Source: see the file.

    >>> found = AddedTokens([AddedToken("[MASK]", lstrip=True)], normalise=str)
    >>> [(token and token.content, start, end) for token, start, end in found.split("a [MASK].")]
    [(None, 0, 1), ('[MASK]', 1, 8), (None, 8, 9)]
    """

    def __init__(self, tokens: Sequence[AddedToken], normalise: Callable[[str], str]) -> None:
        self.tokens: dict[str, AddedToken] = {}
        for token in sorted(tokens, key=lambda token: not token.special):
            self.tokens.setdefault(normalise(token.content), token)
        self.tokens.pop("", None)  # nothing is left of it, and so it is never found
        longest = sorted(self.tokens, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest))) if longest else None

    def split(self, text: str) -> Iterator[tuple[AddedToken | None, int, int]]:
        """Cut a text into added tokens and what lies between, with where each begins and ends."""
        begin = 0
        for match in self._pattern.finditer(text) if self._pattern is not None else ():
            token = self.tokens[match.group()]
            start, stop = match.span()
            if token.single_word and (
                _is_letter(text[start - 1 : start]) or _is_letter(text[stop : stop + 1])
            ):
                continue
            if token.lstrip:
                start = max(begin, len(text[:start].rstrip(_SPACES)))
            if token.rstrip:
                stop = len(text) - len(text[stop:].lstrip(_SPACES))
            if begin < start:
                yield None, begin, start
            yield token, start, stop
            begin = stop
        if begin < len(text):
            yield None, begin, len(text)


_SPACES = "".join(
    chr(code) for code in range(0x3001) if chr(code).isspace() and not 0x1C <= code <= 0x1F
)


def _is_letter(character: str) -> bool:
    r"""Whether it is part of a word, as the `\w` of Rust's regular expressions is."""
    if not character:
        return False
    kind = unicodedata.category(character)
    circled = 0x24B6 <= ord(character) <= 0x24E9
    return kind[0] in "LM" or kind in ("Nd", "Nl", "Pc") or circled or character in "\u200c\u200d"
