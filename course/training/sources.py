"""What the code of a training's part *is*, for the key of its cached result.

Two texts that differ in comments, docstrings, line breaks or unused imports are the same code: the answer to an
exercise that is the model solution again trains nothing again. What a text uses counts by what it stands for, such as
`F` for torch.nn.functional, and the answers to other exercises that it calls count with their own code.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import dis
import inspect
import secrets
import textwrap
from collections.abc import Iterator
from types import CodeType, ModuleType
from typing import Any

from course.learner import catalogue
from course.learner.spelling import library_place

__all__ = ["code_of"]

_ANSWERS = "course.answers."  # the module of a model solution


def code_of(part: object) -> str:
    """Return a text that is the same for the same code; of code that can't be read, one that no other run has.

    >>> code_of(None)
    ''
    """
    if part is None:
        return ""
    place = None if hasattr(part, "__course_source__") else library_place(part)
    if place is not None:
        with contextlib.suppress(OSError, TypeError):
            return f"{'.'.join(place)}\n{inspect.getsource(part)}"  # type: ignore[arg-type]
    try:
        return _canonical(part, ())
    except (OSError, TypeError, SyntaxError, _Unknown, RecursionError):
        pass
    try:  # a name stands for something that has no name of its own: a text that stands alone says it all
        return ast.unparse(ast.parse(getattr(part, "__course_source__", None)))  # type: ignore[arg-type]
    except (TypeError, SyntaxError):
        return secrets.token_hex()


class _Unknown(Exception):
    """A name stands for something whose code can't be told."""


def _source(part: Any) -> str:
    source = getattr(part, "__course_source__", None)
    if isinstance(source, str):
        return source
    module = str(getattr(part, "__module__", ""))
    if module.startswith(_ANSWERS):
        return catalogue.solution(f"{module.removeprefix(_ANSWERS)}.{part.__name__}")
    return textwrap.dedent(inspect.getsource(part))


def _canonical(part: Any, within: tuple[str, ...]) -> str:
    """The definitions of a text without imports and docstrings, and what each free name stands for."""
    tree = ast.parse(_source(part))
    imports = (ast.Import, ast.ImportFrom)
    body = [node for node in tree.body if not isinstance(node, imports) and not _is_use(node)]
    for node in (each for top in body for each in ast.walk(top)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:] or [ast.Pass()]
    module = ast.Module(body, [])
    code = compile(ast.unparse(module), "<part>", "exec", dont_inherit=True)
    own = {ins.argval for ins in dis.get_instructions(code) if ins.opname == "STORE_NAME"}
    if str(getattr(part, "__name__", "")) not in own:
        raise _Unknown("the text imports what it is about")
    free = {name for name in _loaded(code) if name not in own and not hasattr(builtins, name)}
    names = _globals(part)
    stands_for = [f"{name} = {_told(names, name, within)}" for name in sorted(free)]
    return "\n".join([*stands_for, ast.dump(module)])


def _is_use(node: ast.stmt) -> bool:
    """Whether a statement is `name = use("...")`, which counts by what it has given."""
    value = node.value if isinstance(node, ast.Assign) else None
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "use"


def _loaded(code: CodeType) -> Iterator[str]:
    """All names that a code and those inside of it look up outside of functions."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_NAME", "LOAD_GLOBAL"):
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _loaded(constant)


def _globals(part: Any) -> dict[str, Any]:
    """The names that a function, or a class by its methods, sees."""
    if not inspect.isclass(part):
        return dict(part.__globals__)
    for value in vars(part).values():
        if inspect.isfunction(value) and value.__module__ == part.__module__:
            return dict(value.__globals__)
    return {}


def _told(names: dict[str, Any], name: str, within: tuple[str, ...]) -> str:
    """What a name stands for: a module, something of a library, or the answer to another exercise."""
    if name in ("__name__", "__module__", "__qualname__"):
        return name
    if name not in names:
        raise _Unknown(name)
    value = names[name]
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, bool | int | float | str | None):
        return repr(value)
    module = str(getattr(value, "__module__", ""))
    answer = hasattr(value, "__course_source__") or module.startswith(_ANSWERS)
    if answer and name not in within:
        return f"({_canonical(value, (*within, name))})"
    place = library_place(value)
    if place is None:
        raise _Unknown(name)
    return ".".join(place)
