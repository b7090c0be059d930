"""Follow the tensors that a function makes, operation by operation."""

from __future__ import annotations

import itertools
import linecache
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import CodeType, FrameType
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_GIVEN = -1  # among the steps behind a tensor: one of the function's arguments
MOST = 200  # steps of one call that are kept
MANY = 64  # tensors in a list whose sources are looked for
LARGEST = 4096  # numbers in a tensor that is kept

Place = tuple[int, int, int, int]  # line, end line, column, end column


@dataclass(frozen=True)
class Step:
    """A tensor as it was when an expression of the function had made it."""

    number: int  # of the operation
    part: int  # of its results
    place: Place
    occurrence: int  # how often this place had made something before
    code: str
    value: Tensor
    inner: bool  # made within a function that the expression calls, before its last operation
    index: int = 0  # among the steps that are kept
    sources: frozenset[int] = frozenset()  # the steps it was made of, by their index
    truth: bool = False  # its values are True and False
    last: bool = False  # its place makes nothing after it
    of_input: bool = False  # whether a tensor that the function was given is behind it


class Trace(TorchFunctionMode):
    """Note each tensor that is made in the function's own files; put others in their place."""

    def __init__(
        self,
        files: set[str],
        instead: Mapping[tuple[int, int], Tensor] | None = None,
        given: tuple[Any, ...] = (),
        noted: bool = True,
    ) -> None:
        super().__init__()
        self._files, self._instead, self._noted = files, instead or {}, noted
        self.steps: list[Step] = []
        self._count = 0
        self._seen: dict[tuple[Place, int], int] = {}
        self._last: tuple[Any, ...] = ()
        self._made_of: dict[int, frozenset[int]] = {}  # the steps behind a tensor, by its id
        self._alive: list[Tensor] = []  # so that no id is given twice
        self._remember(given, frozenset({_GIVEN}))

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        frame, nested = _own(sys._getframe(1), self._files)
        sources = frozenset[int]()
        if self._noted:
            sources = self._behind((args, kwargs))
            self._remember(result, sources)
        if frame is None or frame.f_code.co_name == "__init__":
            return result
        number, self._count = self._count, self._count + 1
        for part in range(3 if self._instead else 0):
            other = self._instead.get((number, part))
            if other is None:
                continue
            if isinstance(result, Tensor):
                result = other.to(result.dtype)
                break
            if isinstance(result, tuple | list) and part < len(result):
                changed = list(result)
                changed[part] = other.to(result[part].dtype)
                result = tuple(changed)
        if not self._noted or len(self.steps) >= MOST:
            return result
        stored = args[0] if getattr(func, "__name__", "") == "__setitem__" else result
        parts = stored if isinstance(stored, tuple | list) else (stored,)
        place = _place(frame)
        call = (id(frame), frame.f_lasti, nested)
        if nested is not None and call == self._last:
            self.steps = [
                replace(step, inner=True) if step.number == number - 1 else step
                for step in self.steps
            ]
        self._last = call
        for part, made in enumerate(parts):
            if isinstance(made, Tensor) and made.layout is torch.strided and not made.is_complex():
                if made.numel() > LARGEST or made.is_meta:
                    continue
                occurrence = self._seen.get((place, part), 0)
                self._seen[place, part] = occurrence + 1
                index, truth = len(self.steps), made.dtype is torch.bool
                value = made.detach().clone().double()
                code = _text(frame.f_code.co_filename, place)
                own, of_input = sources - {_GIVEN}, _GIVEN in sources
                step = Step(number, part, place, occurrence, code, value, False, index, own)
                self.steps.append(replace(step, truth=truth, of_input=of_input))
                self._remember(made, frozenset({index, _GIVEN} if of_input else {index}))
        return result

    def _behind(self, given: Any, depth: int = 0) -> frozenset[int]:
        """The steps that made the tensors among some arguments; long lists hold numbers."""
        if isinstance(given, Tensor):
            return self._made_of.get(id(given), frozenset())
        if isinstance(given, dict):
            given = tuple(given.values())
        if isinstance(given, tuple | list) and depth < 4 and len(given) <= MANY:
            return frozenset[int]().union(*(self._behind(one, depth + 1) for one in given))
        return frozenset()

    def _remember(self, result: Any, sources: frozenset[int]) -> None:
        for made in result if isinstance(result, tuple | list) else (result,):
            if isinstance(made, Tensor):
                self._made_of[id(made)] = sources
                self._alive.append(made)


def behind(step: Step, steps: list[Step]) -> list[Step]:
    """All steps that a step was made of, the earliest first."""
    found: set[int] = set()
    waiting = set(step.sources)
    while waiting:
        index = waiting.pop()
        if index not in found:
            found.add(index)
            waiting |= steps[index].sources
    return [steps[index] for index in sorted(found)]


def _own(frame: FrameType | None, files: set[str]) -> tuple[FrameType | None, int | None]:
    """The innermost frame of the function's own, and the frame that it called, where it called one."""
    below: int | None = None
    for _ in range(60):
        if frame is None or frame.f_code.co_filename in files:
            return frame, below
        below, frame = id(frame), frame.f_back
    return None, None


def _place(frame: FrameType) -> Place:
    positions = _positions(frame.f_code)
    line, end, column, end_column = positions[frame.f_lasti // 2]
    line = line or frame.f_lineno
    return line, end or line, column or 0, end_column or 0


_cache: dict[CodeType, list[tuple[int | None, ...]]] = {}


def _positions(code: CodeType) -> list[Any]:
    if code not in _cache:
        _cache[code] = list(code.co_positions())
    return _cache[code]


def _text(file: str, place: Place) -> str:
    line, end, column, end_column = place
    lines = [linecache.getline(file, n).encode() for n in range(line, end + 1)]
    if not lines or not end_column:
        return b" ".join(x.strip() for x in lines).decode()
    lines[-1] = lines[-1][:end_column]
    lines[0] = lines[0][column:]
    return " ".join(x.strip().decode() for x in lines)


def same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors hold the same numbers in the same places."""
    return one.shape == other.shape and bool(torch.allclose(one, other, 1e-6, 1e-8, equal_nan=True))


def arrangements(value: Tensor, shape: torch.Size) -> Iterator[Tensor]:
    """The tensor with its axes exchanged, joined or split, so that it has this shape."""
    if value.shape == shape:
        yield value
    if value.numel() != torch.Size(shape).numel() or value.dim() > 4:
        return
    for order in itertools.permutations(range(value.dim())):
        turned = value.permute(order)
        if turned.shape == shape and order != tuple(range(value.dim())):
            yield turned
        elif turned.shape != shape:
            yield turned.reshape(shape)


def run(
    function: Callable[..., Any],
    called: Callable[..., Any],
    args: tuple[Any, ...],
    files: set[str],
    instead: Mapping[tuple[int, int], Tensor] | None = None,
    noted: bool = True,
) -> tuple[Any, list[Step]]:
    """What a call returns, and its steps where they are to be noted."""
    with Trace(files, instead, args, noted) as trace:
        value = called(*args)
    latest = {(step.place, step.part): step.index for step in trace.steps}
    return value, [
        replace(step, last=latest[step.place, step.part] == step.index) for step in trace.steps
    ]
