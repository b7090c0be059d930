"""Mistakes that any function can have, declared in one line of an exercise's text: `~ detach query key`.

Each kind gives what the mistake says, what it asks, and code that makes it around the solution.
"""

from __future__ import annotations

from collections.abc import Callable

Kind = Callable[..., tuple[str, str, str]]

_DETACHED = "The result is cut off from {name} (`detach`, `.data`, `no_grad` or numpy), so nothing before it can learn."
_WHICH_LINE = "Which line leaves PyTorch's record of the computation?"
_WRITTEN = "It changes the caller's own tensor (a method that ends in _ does, and `*=`, and `x[...] = ...`)."
_AFTER_THE_CALL = "What does the caller find in {name} after the call?"
_FLOAT32 = "The result is float32 whatever the dtype of the input is."
_WHICH_DTYPE = "Which dtype should the result of a float64 (or bfloat16) input have?"


def _detach(*names: str) -> tuple[str, str, str]:
    code = _changed(names, "given.detach()")
    return _DETACHED.format(name=" and ".join(names)), _WHICH_LINE, code


def _write(*names: str) -> tuple[str, str, str]:
    code = _changed(names, "given.clone()", "given -= 0.5")
    return _WRITTEN, _AFTER_THE_CALL.format(name=names[0]), code


def _float32(*names: str) -> tuple[str, str, str]:
    return _FLOAT32, _WHICH_DTYPE, _changed(names, "given.float()")


GENERATED: dict[str, Kind] = {"detach": _detach, "write": _write, "float32": _float32}


def _changed(names: tuple[str, ...], value: str, *before: str) -> str:
    """Code that hands other values on for some arguments; TypeError where none is named."""
    if not names:
        raise TypeError("names no argument")
    lines = [
        "import inspect",
        "itself = NAME",
        "",
        "",
        "def NAME(*args, **kwargs):",
        "    call = inspect.signature(itself).bind(*args, **kwargs)",
    ]
    for name in names:
        lines += [
            f'    given = call.arguments["{name}"]',
            f'    call.arguments["{name}"] = {value}',
            *(f"    {line}" for line in before),
        ]
    return "\n".join([*lines, "    return itself(*call.args, **call.kwargs)"]) + "\n"
