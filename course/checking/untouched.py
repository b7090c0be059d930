"""What an answer replaces in torch or in Python is put back at once, and told.

The checker compares with the same functions that an answer can reach: one that puts its own in the place
of `torch.allclose` would be compared by it.
"""

from __future__ import annotations

import builtins
import contextlib
import math
import sys
from collections.abc import Callable, Iterator
from operator import is_
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

# Python's own functions by names of this module's: an answer may have replaced `all`.
_all, _map, _len, _vars, _dict = all, map, len, vars, dict
_isinstance, _callable, _setattr, _delattr, _getattr = (
    isinstance,
    callable,
    setattr,
    delattr,
    getattr,
)
_MISSING = object()
_TORCH = str(Path(torch.__file__).parent)


def _places() -> dict[str, Any]:
    """The modules and classes whose functions the checker relies on, by the name that people write."""
    places: dict[str, Any] = {
        "torch": torch,
        "torch.Tensor": Tensor,
        "F": nn.functional,
        "torch.autograd": torch.autograd,
        "torch.nn": nn,
        "torch.nn.Module": nn.Module,
        "math": math,
        "builtins": builtins,
    }
    own = ("course.checking", "course.exercises.model")
    for name, module in sys.modules.copy().items():
        if name.startswith(own) and isinstance(module, ModuleType):
            places[name] = module
    return places


@contextlib.contextmanager
def untouched(replaced: list[str]) -> Iterator[None]:
    """Put back the functions that the block replaces, and add their names to the list."""
    before = [(name, place, _dict(_vars(place))) for name, place in _places().items()]
    try:
        yield
    finally:
        for name, place, held in before:
            now = _vars(place)
            if _all(_map(is_, held.values(), _map(now.get, held))) and (
                _len(now) == _len(held) or _isinstance(place, ModuleType)
            ):
                continue
            replaced.extend(f"{name}.{changed}" for changed in _put_back(place, held))


def _put_back(place: Any, held: dict[str, Any]) -> Iterator[str]:
    """The names of functions and classes that had been replaced, hidden or taken away."""
    # A name that is new in a class may hide an inherited one, as in `Tensor.__eq__ = ...`.
    new = [] if _isinstance(place, ModuleType) else [key for key in _vars(place) if key not in held]
    for key in [*held, *new]:
        was, now = held.get(key, _MISSING), _vars(place).get(key, _MISSING)
        if (
            was is now
            or _of_torch(now)
            or not (_callable(was) or (was is _MISSING and _callable(now)))
        ):
            continue
        _delattr(place, key) if was is _MISSING else _setattr(place, key, was)
        yield key


def _of_torch(function: Any) -> bool:
    """Whether it is written in torch's own files: torch.compile wraps some functions on first use."""
    code = _getattr(function, "__code__", None)
    return code is not None and code.co_filename.startswith(_TORCH)


def kept(function: Callable[..., Any], replaced: list[str]) -> Callable[..., Any]:
    """The function, with all that it replaces put back when it returns or raises."""

    def call(*args: Any, **kwargs: Any) -> Any:
        with untouched(replaced):
            return function(*args, **kwargs)

    return call
