"""A learner's function or class as a text that stands by itself, and back.

`capture` takes the source of what was defined in a notebook's cells and, recursively, everything
it uses: imports, helper functions, classes, constants. `revive` runs such a text. Nothing is
pickled: what is saved can be read, and run by any later version of Python and of the course.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import linecache
import sys
from types import FunctionType, MethodType, ModuleType
from typing import Any

from course.learner import spelling
from course.learner.plain import NotPlain, require_plain
from course.learner.transcript import CannotCapture, Transcript

__all__ = ["CannotCapture", "NotPlain", "capture", "revive"]


def capture(
    obj: object, name: str | None = None, exercise: str | None = None, *, careful: bool = False
) -> str:
    """The source of a function or class with all that it uses, bound to `name` (default: its own).

    What `use` gave is written as `use(...)`, but for the `exercise` that this answers: it would call itself.
    Raises CannotCapture, which says why and what to do; with `careful` NotPlain where it meets a value
    that may run code of its own when it is read.
    """
    try:
        return _captured(obj, name, exercise, careful)
    except (CannotCapture, NotPlain):
        raise
    except Exception as error:  # whatever people define, only one kind of error comes out of here
        problem = f"its source cannot be taken ({type(error).__name__}: {error})"
        raise CannotCapture(f"{problem}; write it with `def` or `class`") from error


def _captured(obj: object, name: str | None, exercise: str | None, careful: bool) -> str:
    if careful:
        require_plain(obj)
    namespace = _namespace(obj) or {}
    own_name = str(getattr(obj, "__name__", ""))
    if name is None:
        names = (key for key, value in namespace.items() if value is obj and key.isidentifier())
        name = own_name if own_name.isidentifier() else next(names, "")
    known = getattr(obj, "__course_source__", None) or namespace.get("__captured_source__")
    if isinstance(known, str):  # a revived answer
        if name in _top_level_names(known):
            return known
        return f"{known.rstrip()}\n\n\n{name} = {own_name}\n"
    if not spelling.is_definition(obj) and not isinstance(obj, functools.partial):
        raise CannotCapture(
            f"it is a {type(obj).__name__}, not a function or class; write it with `def` or `class`"
        )
    if isinstance(obj, MethodType) and not inspect.isclass(obj.__self__):
        raise CannotCapture("it is a method of an object; write it as a function, with `def`")
    if not name.isidentifier():
        raise CannotCapture("it has no name; write it with `def`")
    return Transcript(namespace, exercise, careful).write(obj, name)


def _top_level_names(source: str) -> set[str]:
    """What a text binds at its top level."""
    return set(compile(source, "<answer>", "exec", dont_inherit=True).co_names)


def revive(source: str, name: str) -> Any:
    """Run a captured text and return what it binds to `name`.

    The text is registered with linecache, so that tracebacks and inspect.getsource show it.
    Whatever running it raises is passed on; LookupError where it does not define `name`.
    """
    mark = hashlib.sha256(source.encode()).hexdigest()[:12]
    filename = f"<answer {name} {mark}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    module = ModuleType(f"course_answer_{name}_{mark}")
    module.__file__ = filename
    module.__dict__["__captured_source__"] = source
    sys.modules[module.__name__] = module  # dataclasses and inspect look there
    exec(compile(source, filename, "exec", dont_inherit=True), module.__dict__)
    if name not in module.__dict__:
        raise LookupError(f"the answer defines no {name}")
    return module.__dict__[name]


def _namespace(obj: Any) -> dict[str, Any] | None:
    """The globals that a function or class sees."""
    if isinstance(obj, functools.partial):
        return _namespace(obj.func)
    if inspect.isclass(obj):
        for value in vars(obj).values():
            if isinstance(value, FunctionType) and value.__module__ == obj.__module__:
                return value.__globals__
        module = sys.modules.get(obj.__module__)
        return vars(module) if module else None
    try:
        return getattr(inspect.unwrap(obj), "__globals__", None)
    except ValueError:  # a wrapper that wraps itself
        return None
