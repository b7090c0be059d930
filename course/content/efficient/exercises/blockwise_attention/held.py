"""How many scores an answer holds at a time, counted while it runs.

A tensor holds scores where it was made of numbers of the query and of the key together, or of such a tensor,
number by number. A sum or a maximum of scores holds none. What views share is counted once.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from course.checking.trials.watching import Watching

MANY = 60  # keys from which on it is counted

RIGHT = "at most L * block"
MORE = "L * {keys}"
ROWS = "whole rows of S"
KEPT = "all L * S, block by block in a list or the like"
ALL = "all L * S"
FUSED = "not known: a fused kernel was called"
SCORES = "scores"
_WORSE = (RIGHT, MORE, ROWS, KEPT, ALL, FUSED)

_MADE_EMPTY = ("new_", "zeros_like", "ones_like", "empty_like", "full_like", "rand")
_JOINING = ("cat", "stack")
_REDUCING = (
    "amax",
    "amin",
    "max.dim",
    "min.dim",
    "sum",
    "logsumexp",
    "mean",
    "norm",
    "argmax",
    "all",
    "any",
)
KERNELS = (
    "scaled_dot_product",
    "multi_head_attention",
    "flash_attention",
    "efficient_attention",
    "flex_attention",
)


def watched(function: Callable[..., Any]) -> Callable[..., Any]:
    """What an answer returns, and where there are many keys how many scores it held at a time."""

    def run(query: Tensor, key: Tensor, value: Tensor, block: int) -> tuple[Any, str]:
        if query.requires_grad or key.shape[-2] < MANY:
            return function(query, key, value, block), RIGHT
        scores = Scores(query, key, block)
        with Kernels() as kernels, scores:
            output = function(query, key, value, block)
        return output, FUSED if kernels.called else scores.found

    return run


class Kernels(TorchFunctionMode):
    """While it is active, notes whether a fused kernel of attention is called."""

    called = ""

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        name = getattr(func, "__name__", "")
        if any(kernel in name for kernel in KERNELS):
            self.called = self.called or name
        return func(*args, **(kwargs or {}))


@dataclass
class _Held:
    """Memory that holds numbers of the query, of the key, or scores; the reference keeps its address from reuse."""

    memory: StorageWeakRef
    kind: str
    size: int


class Scores(Watching):
    """While it is active, counts the scores that are held.

    `shape` is that of the answer's tensor that was too large, `stack` where it was made.
    """

    def __init__(self, query: Tensor, key: Tensor, block: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._found = RIGHT
        self.shape: tuple[int, ...] = ()
        self.stack: list[traceback.FrameSummary] = []
        self._source = key.shape[-2]
        rows = query.numel() // query.shape[-1]
        self._rows, self._all, self._allowed = rows, rows * self._source, rows * block
        self._keys = 0
        self._held: dict[int, _Held] = {}
        self._mark(query, "query")
        self._mark(key, "key")

    @property
    def found(self) -> str:
        """How many were held at most, in words."""
        return self._found.format(keys=self._keys)

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name = str(func).removeprefix("aten.")
        if any(kernel in name for kernel in KERNELS):
            self._tell(FUSED, next(_tensors(result)))
        elif not name.startswith((*_MADE_EMPTY, *_REDUCING)):
            given = list(_tensors((args, kwargs)))
            for made in _tensors(result):
                self._follow(name, given, made)
        return result

    def _follow(self, name: str, given: list[Tensor], made: Tensor) -> None:
        """Mark what an operation made by what it was given."""
        in_place = name.split(".")[0].endswith("_") or name.endswith("out")
        if not in_place and any(_place(tensor) == _place(made) for tensor in given):
            return  # a view: it is marked already
        held = [
            (tensor, self._held[_place(tensor)].kind)
            for tensor in given
            if _place(tensor) in self._held
        ]
        kinds = {kind for _, kind in held}
        scores = [tensor.numel() for tensor, kind in held if kind == SCORES]
        if scores:
            if made.numel() >= max(scores):  # with less it is a product with the values, or a sum
                self._count(made)
        elif len(kinds) == 2 and not name.startswith(_JOINING):
            self._count(made)
        elif kinds:
            self._mark(made, min(kinds))

    def _mark(self, made: Tensor, kind: str) -> None:
        storage = made.untyped_storage()
        size = storage.nbytes() // made.element_size()
        memory = StorageWeakRef(storage)  # type: ignore[no-untyped-call]
        self._held[_place(made)] = _Held(memory, kind, size)

    def _count(self, made: Tensor) -> None:
        """Mark scores, and compare all that are held with what may be."""
        self._mark(made, SCORES)
        gone = [place for place, one in self._held.items() if _expired(one.memory)]
        for place in gone:
            del self._held[place]
        size = self._held[_place(made)].size
        if size > self._allowed:
            wide = self._source in made.shape
            self._tell(ALL if size >= self._all else ROWS if wide else MORE, made)
        elif sum(one.size for one in self._held.values() if one.kind == SCORES) >= self._all:
            self._tell(KEPT, made)

    def _tell(self, found: str, made: Tensor) -> None:
        if _WORSE.index(found) > _WORSE.index(self._found):
            self._found, self.shape = found, tuple(made.shape)
            self._keys = -(-made.numel() // self._rows)
            self.stack = list(traceback.extract_stack())


def _expired(memory: StorageWeakRef) -> bool:
    return bool(memory.expired())  # type: ignore[no-untyped-call]


def _place(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _tensors(value: Any) -> Iterator[Tensor]:
    return (leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor) and not leaf.is_meta)
