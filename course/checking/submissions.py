"""What a submission is: its source text, the reference itself, or a function with no body yet."""

from __future__ import annotations

import ast
import inspect
import textwrap
from types import MappingProxyType
from typing import Any


def source_of(submission: Any) -> str | None:
    """The source text of a submission, where Python still has it."""
    try:
        return textwrap.dedent(inspect.getsource(submission))
    except Exception:  # ValueError: it wraps itself; an object's own attributes may raise anything
        return None


def first_line(submission: Any) -> int:
    """The line of its cell or file on which a submission's text begins; 1 where Python doesn't know."""
    try:
        return inspect.getsourcelines(submission)[1] or 1  # 0 for a module
    except Exception:  # as above
        return 1


def is_reference(submission: Any) -> bool:
    """Whether this is what use() hands out until an answer has passed."""
    own = getattr(submission, "__dict__", {})  # not what a class inherits from the reference
    plain = isinstance(own, dict | MappingProxyType)  # a property may return anything
    return plain and own.get("__course_reference__", False) is True


def is_stub(submission: Any) -> bool:
    """Whether a function has no body yet: nothing but a docstring, `pass`, `...` or NotImplementedError."""
    source = source_of(submission)
    if source is None:
        return False
    try:
        tree = ast.parse(source).body[0]
    except (SyntaxError, IndexError):
        return False
    if not isinstance(tree, ast.FunctionDef | ast.ClassDef):
        return False
    if isinstance(tree, ast.ClassDef) and _inherits(submission):
        return False
    return all(_empty(statement) for statement in tree.body)


def _inherits(submission: Any) -> bool:
    """Whether a class has a base that is neither Python's nor torch's: what it can do may stand there."""
    bases = submission.__mro__[1:] if isinstance(submission, type) else ()
    return any(base.__module__.partition(".")[0] not in ("builtins", "torch") for base in bases)


def _empty(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Pass):
        return True
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return True
    if isinstance(statement, ast.Raise) and statement.exc is not None:
        return "NotImplementedError" in ast.dump(statement.exc)
    return isinstance(statement, ast.FunctionDef) and all(map(_empty, statement.body))
