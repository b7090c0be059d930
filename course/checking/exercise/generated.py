"""Mistakes that any function can have, declared in one line of an exercise's text: `~ detach x`.

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


def _detach(name: str) -> tuple[str, str, str]:
    return _DETACHED.format(name=name), _WHICH_LINE, _changed(name, "given.detach()")


def _write(name: str) -> tuple[str, str, str]:
    return (
        _WRITTEN,
        _AFTER_THE_CALL.format(name=name),
        _changed(name, "given.clone()", "given -= 0.5"),
    )


def _float32(name: str) -> tuple[str, str, str]:
    return _FLOAT32, _WHICH_DTYPE, _changed(name, "given.float()")


GENERATED: dict[str, Kind] = {"detach": _detach, "write": _write, "float32": _float32}


def _changed(name: str, value: str, *before: str) -> str:
    """Code that hands another value on for one argument."""
    lines = [
        "import inspect",
        "itself = NAME",
        "",
        "",
        "def NAME(*args, **kwargs):",
        "    call = inspect.signature(itself).bind(*args, **kwargs)",
        f'    given = call.arguments["{name}"]',
        f'    call.arguments["{name}"] = {value}',
        *(f"    {line}" for line in before),
        "    return itself(*call.args, **call.kwargs)",
    ]
    return "\n".join(lines) + "\n"
