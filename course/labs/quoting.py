"""A token in a sentence, whichever way its script is written."""

from __future__ import annotations

import unicodedata

_RIGHT_TO_LEFT = {"R", "AL", "AN", "RLE", "RLO", "LRE", "LRO"}
_ISOLATES = dict.fromkeys(range(0x2066, 0x206A))  # U+2066 to U+2069, which could end the isolation


def quoted(token: str) -> str:
    r"""The token in quotation marks; one with letters from right to left is isolated.

    Without the isolation (Unicode Standard Annex 9, FSI and PDI) such letters reorder the numbers
    and the punctuation around them.

    >>> quoted("cat"), quoted("\u05e9\u05dc")
    ('“cat”', '“\u2068של\u2069”')
    """
    if any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in token):
        token = f"\u2068{token.translate(_ISOLATES)}\u2069"
    return f"“{token}”"
