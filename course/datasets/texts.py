"""Real text that is installed already: Python's documentation, and Jupyter's words in Chinese.

What is there differs a little between versions of Python; what the chapters say of it is printed or
tested, never assumed.
"""

from __future__ import annotations

import builtins
import functools
import re
import sysconfig
from importlib.util import find_spec
from pathlib import Path

__all__ = ["docstrings", "jupyter_in_chinese", "language_reference"]

_DOCSTRING = re.compile(r'"""(.*?)"""', re.DOTALL)
_MESSAGE = re.compile(r'^msgstr "(.+)"$', re.MULTILINE)
_NO_LIBRARY = {"site-packages", "dist-packages", "test", "tests", "idle_test", "pydoc_data"}


@functools.cache
def language_reference() -> tuple[str, ...]:
    """The topics that `help()` knows, such as "CLASSES"; docstrings where Python came without them.

    >>> sum(map(len, language_reference())) > 100_000
    True
    """
    try:
        from pydoc_data.topics import topics
    except ImportError:
        return docstrings()
    return tuple(topics[name] for name in sorted(topics))


@functools.cache
def docstrings() -> tuple[str, ...]:
    '''What stands between """ and """ in the files of the standard library.

    >>> any("JSON" in text for text in docstrings())
    True
    '''
    library = Path(sysconfig.get_path("stdlib"))
    found: list[str] = []
    for file in sorted(library.rglob("*.py")):
        if _NO_LIBRARY.isdisjoint(file.relative_to(library).parts):
            found += _DOCSTRING.findall(file.read_text(encoding="utf-8", errors="ignore"))
    if not found:  # a library without sources
        found = [str(getattr(builtins, name).__doc__) for name in sorted(vars(builtins))]
    return tuple(found)


@functools.cache
def jupyter_in_chinese() -> tuple[str, ...]:
    """The messages of Jupyter's server in their Chinese translation; empty where there is none."""
    spec = find_spec("jupyter_server")
    places = spec.submodule_search_locations if spec else None
    files = [file for place in places or () for file in Path(place).glob("i18n/zh_CN/**/*.po")]
    texts = [file.read_text(encoding="utf-8") for file in sorted(files)]
    return tuple(message for text in texts for message in _MESSAGE.findall(text))
