"""What an answer replaces in torch or in Python is put back at once, and told.

The checker compares with the same functions that an answer can reach: one that puts its own in the place
of `torch.allclose` would be compared by it.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._device import DeviceContext

# Python's own functions by names of this module's: an answer may have replaced `all`.
_len, _vars, _dict = len, vars, dict
_isinstance, _callable, _setattr, _delattr, _getattr = (
    isinstance,
    callable,
    setattr,
    delattr,
    getattr,
)
_MISSING = object()
_TORCH = str(Path(torch.__file__).parent)


@dataclass
class _Place:
    """A module or class whose functions the checker relies on, and what it held when last seen."""

    name: str  # as people write it
    place: Any
    held: dict[str, Any]

    def as_seen(self) -> bool:
        """Whether it still holds the same: most is, and then dicts compare fast."""
        try:
            return bool(_vars(self.place) == self.held)
        except Exception:  # what an answer put there may not even compare
            return False


@functools.lru_cache(maxsize=1)
def _places(imported: int) -> list[_Place]:
    """All of them; looked up anew when the number of imported modules has changed, for there are many."""
    own = ("course.checking", "course.checking.exercise")
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
    for name, module in sys.modules.copy().items():
        if name.startswith(own) and isinstance(module, ModuleType):
            places[name] = module
    return [_Place(name, place, {}) for name, place in places.items()]


@contextlib.contextmanager
def untouched(replaced: list[str]) -> Iterator[None]:
    """Put back the functions that the block replaces, and add their names to the list."""
    places = _places(_len(sys.modules))
    for place in places:
        if not place.as_seen():
            place.held = _dict(_vars(place.place))
    try:
        yield
    finally:
        for place in places:
            if not place.as_seen():
                changed = _put_back(place.place, place.held)
                replaced.extend(f"{place.name}.{name}" for name in changed)


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


@contextlib.contextmanager
def modes_left(entered: list[str]) -> Iterator[None]:
    """Leave torch's modes that the block entered and did not leave, and add their names to the list.

    A mode runs its own code in place of every later function of torch, the checker's too.
    """
    before = [depth() for depth, _, _ in _MODES]
    try:
        yield
    finally:
        for (depth, at, pop), level in zip(_MODES, before, strict=True):
            # The default device is a mode too, and a setting (`settings`).
            while depth() > level and type(at(depth() - 1)) is not DeviceContext:
                entered.append(type(pop()).__name__)


def _modes() -> Iterator[tuple[Callable[[], int], Callable[[int], Any], Callable[[], Any]]]:
    """Each stack of modes: its depth, the mode at a level, and what takes the last one off."""
    for kind in ("function", "dispatch"):
        names = (
            f"_len_torch_{kind}_stack",
            f"_get_{kind}_stack_at",
            f"_pop_torch_{kind}_stack",
        )
        found: Any = [getattr(torch._C, name, None) for name in names]  # private to torch
        if None not in found:
            depth, at, pop = found
            # The one for dispatch takes the kind of mode, None for an answer's own.
            yield depth, at, functools.partial(pop, None) if kind == "dispatch" else pop


_MODES = tuple(_modes())


def kept(
    function: Callable[..., Any], replaced: list[str], entered: list[str]
) -> Callable[..., Any]:
    """The function, with all that it replaces or enters put back when it returns or raises."""

    def call(*args: Any, **kwargs: Any) -> Any:
        with untouched(replaced), modes_left(entered):
            return function(*args, **kwargs)

    return call
