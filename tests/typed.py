"""Texts that a person can type or paste, and what an output must be to reach a notebook."""

from __future__ import annotations

import json

from hypothesis import strategies as st

# The awkward ones often, and any other character: also lone surrogates, which `characters` has.
_AWKWARD = [
    *("\x00", "\x07", "\x1b[31m", "\x7f", "\x85", "\u2028", "\ufffe", "\uffff", "\ud800", "\udc80"),
    *("<script>alert(1)</script>", "</svg>", "]]>", "<![CDATA[", "&", "&amp;", '"', "'", "--", "`"),
    *("שלום", "مرحبا", "\u202e", "\u2066", "e\u0301", "👩\u200d🔬", "\n", "\r", "\t"),
]
TYPED = st.lists(
    st.one_of(st.sampled_from(_AWKWARD), st.text(st.characters(exclude_categories=()), max_size=8)),
    max_size=6,
).map("".join)


def fits_a_notebook(text: str) -> None:
    """Raise UnicodeEncodeError where a notebook's file or a message could not hold the text."""
    json.dumps(text, ensure_ascii=False).encode("utf-8")
