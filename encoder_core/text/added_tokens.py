"""Added tokens: strings such as `[MASK]` that are matched before the text is split into words.

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
    """A string that is one token.

    Args:
        content: the string.
        special: `decode` leaves it out by default.
        single_word: match only where no letter is adjacent.
        lstrip: the match includes the white space before it.
        rstrip: the match includes the white space after it.
        normalized: match in the normalised text (lower-cased and so on) instead of the original.
        number: its id; None for the id in the vocabulary, or else the next free one.
    """

    content: str
    special: bool = True
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = False
    number: int | None = None


class AddedTokens:
    """Find added tokens in a text: the leftmost match, and of several there the longest.

    `normalise` is applied to the tokens' contents before matching; `str` leaves them unchanged.

    >>> found = AddedTokens([AddedToken("[MASK]", lstrip=True)], normalise=str)
    >>> [(token and token.content, start, end) for token, start, end in found.split("a [MASK].")]
    [(None, 0, 1), ('[MASK]', 1, 8), (None, 8, 9)]
    """

    def __init__(self, tokens: Sequence[AddedToken], normalise: Callable[[str], str]) -> None:
        self.tokens: dict[str, AddedToken] = {}
        for token in sorted(tokens, key=lambda token: not token.special):
            self.tokens.setdefault(normalise(token.content), token)
        self.tokens.pop("", None)  # a token that normalises to nothing cannot match
        longest = sorted(self.tokens, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest))) if longest else None

    def split(self, text: str) -> Iterator[tuple[AddedToken | None, int, int]]:
        """Yield `(token, start, end)` for each match, and `(None, start, end)` for the text between."""
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
    r"""Return whether it matches `\w` in Rust's regular expressions."""
    if not character:
        return False
    kind = unicodedata.category(character)
    circled = 0x24B6 <= ord(character) <= 0x24E9
    return kind[0] in "LM" or kind in ("Nd", "Nl", "Pc") or circled or character in "\u200c\u200d"
