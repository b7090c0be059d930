"""The notebooks and the glossary as the press makes them of the content that is there: made once, not in each test."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

from course.press import notebooks


@functools.cache
def pages() -> Mapping[str, str]:
    """The text of every notebook and of the glossary, by its path from the root of the repository."""
    return MappingProxyType(notebooks.press())
