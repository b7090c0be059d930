"""Passages from docstrings: what `help()` says of functions, classes and methods."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

from course.datasets.passages.passage import Passage

# What a learner of Python is likely to ask about, and importing does nothing else.
MODULES = (
    "builtins", "argparse", "bisect", "calendar", "collections", "contextlib", "copy", "csv",
    "dataclasses", "datetime", "decimal", "difflib", "enum", "fnmatch", "fractions", "functools",
    "getpass", "glob", "gzip", "hashlib", "heapq", "html", "io", "itertools", "json",
    "logging", "math", "os", "os.path", "pathlib", "pickle", "pprint",
    "queue", "random", "re", "secrets", "shlex", "shutil", "statistics", "string", "struct",
    "subprocess", "sys", "tempfile", "textwrap", "threading", "time",
    "urllib.parse", "urllib.request", "uuid", "webbrowser", "zipfile",
)  # fmt: skip
METHODS_OF = (
    "builtins.str", "builtins.list", "builtins.dict", "builtins.set",
    "builtins.int", "builtins.float", "pathlib.Path", "datetime.datetime", "datetime.timedelta",
    "collections.Counter", "collections.deque", "collections.OrderedDict",
    "re.Pattern", "threading.Thread", "zipfile.ZipFile",
)  # fmt: skip
MOST_WORDS = 45
_SIGNATURE = re.compile(r"\A(\w[\w.]*\([^\n]*\)( -> [^\n]*)?\s*\n)+\s*(--\n+)?")


def docstring_passages() -> list[Passage]:
    """One passage for each documented function, class and method.

    The same text is given once, under the shortest of its names: `str.split`, not `str.rsplit`.
    """
    found: dict[str, Passage] = {}
    for name, thing in _things():
        text = beginning(getattr(thing, "__doc__", None))
        if len(text.split()) >= 4:
            known = found.get(text)
            if known is None or len(name) < len(known.title):
                found[text] = Passage(name, text)
    return list(found.values())


def beginning(docstring: object) -> str:
    r"""The first paragraphs of a docstring, up to a length; signatures are left out.

    >>> beginning("join(a, b)\n\nJoin two paths.\n\nMore.")
    'Join two paths.\n\nMore.'
    """
    if not isinstance(docstring, str):
        return ""
    text = _SIGNATURE.sub("", inspect.cleandoc(docstring).strip(), count=1)
    kept: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        if kept and len(" ".join([*kept, paragraph]).split()) > MOST_WORDS:
            break
        kept.append(paragraph)
    whole = "\n\n".join(kept)
    words = whole.split()
    return whole if len(words) <= 2 * MOST_WORDS else " ".join(words[: 2 * MOST_WORDS]) + " ..."


def _things() -> Iterator[tuple[str, Any]]:
    """What is documented, by the name under which one would use it."""
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        prefix = "" if module_name == "builtins" else f"{module_name}."
        for name in getattr(module, "__all__", sorted(vars(module))):
            thing = getattr(module, name, None)
            own = getattr(thing, "__module__", None) or module_name
            if name.startswith("_") or not callable(thing):
                continue
            if own.lstrip("_").partition(".")[0] in (module_name.partition(".")[0], *_HOMES):
                yield f"{prefix}{name}", thing
    for class_name in METHODS_OF:
        module_name, _, name = class_name.rpartition(".")
        kind = getattr(importlib.import_module(module_name), name)
        for method in sorted(vars(kind)):
            if not method.startswith("_"):
                yield f"{class_name.removeprefix('builtins.')}.{method}", getattr(kind, method)


# Where the insides of some modules live.
_HOMES = ("builtins", "posix", "nt", "posixpath", "ntpath", "genericpath", "io", "sre_compile")
