"""Text that a person typed, made fit for a notebook's outputs: HTML, SVG and JSON."""

from __future__ import annotations

import html
import re

# XML 1.0 (W3C, fifth edition), production 2, has none of these characters.
_INVALID = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def printable(text: str) -> str:
    r"""The text without what neither UTF-8 nor XML can hold.

    A control character becomes its picture, a lone surrogate or a non-character U+FFFD.

    >>> printable("a\x00b\ufffe\ttab")
    'a␀b�\ttab'
    """
    return _INVALID.sub(lambda found: _picture(ord(found[0])), text)


def escape(text: str) -> str:
    r"""The text for the body or a quoted attribute of HTML and of XML.

    >>> escape('<b> & "\x07"')
    '&lt;b&gt; &amp; &quot;␇&quot;'
    """
    return html.escape(printable(text))


def _picture(code: int) -> str:
    return chr(0x2400 + code) if code < 0x20 else "\ufffd"
