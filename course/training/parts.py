"""The learner's parts of a training: whose they are, and a key that follows their code."""

from __future__ import annotations

import ast
import hashlib
import inspect
import secrets
import textwrap
from collections.abc import Iterable, Mapping
from types import ModuleType

__all__ = ["key_of", "whose", "whose_parts"]


def whose(part: object) -> str:
    """Tell whether a part is the learner's own or the reference that stands in for it."""
    return "the reference's" if getattr(part, "__course_reference__", False) else "yours"


def whose_parts(parts: Mapping[str, object]) -> dict[str, str]:
    """Tell it of each part that is given, by name: for `Training.parts`."""
    return {name: whose(part) for name, part in parts.items() if part is not None}


def key_of(modules: Iterable[ModuleType], parts: Iterable[object], *data: bytes) -> str:
    """Hash what a finished training depends on beside its settings: its modules, the parts, the data."""
    sources = [inspect.getsource(module) for module in modules]
    sources += [_code_of(part) for part in parts]
    sources += [hashlib.sha256(each).hexdigest() for each in data]
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()[:16]


def _code_of(part: object) -> str:
    """The code of a part without its comments; of code that can't be read, what no other run has."""
    if part is None:
        return ""
    try:
        source = getattr(part, "__course_source__", None) or inspect.getsource(part)  # type: ignore[arg-type]
        return ast.unparse(ast.parse(textwrap.dedent(source)))
    except (OSError, TypeError, SyntaxError):
        return secrets.token_hex()
