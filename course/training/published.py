"""The weights of a model in training, in memory that two processes share.

There are two copies. The trainer writes into the one that is not in front and then brings it to the
front; the reader copies the one in front. A lock is held for the exchange and for the reader's copying, so
that no copy is written while it is read; the trainer never waits for it, but tries again after its next
update.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

__all__ = ["Layout", "Lock", "Published"]

_HEAD = struct.Struct("<4q")  # which copy is in front, how often it was exchanged, the step of each
_ALIGNED = 64  # bytes, so that every tensor starts where a vector register likes it
_PATIENCE = 0.2  # seconds that a reader waits for the lock, which a killed trainer may never free


class Lock(Protocol):
    """What a lock between threads and one between processes have in common."""

    def acquire(self, block: bool = ..., timeout: float = ..., /) -> bool:
        """Return whether the lock was acquired."""

    def release(self) -> None:
        """Free the lock."""


@dataclass(frozen=True)
class Layout:
    """Where each tensor of a state dict lies in a block of bytes; tied weights lie there once.

    >>> layout = Layout.of({"a": torch.zeros(3), "b": torch.zeros(2, dtype=torch.int64)})
    >>> layout.size
    128
    """

    places: dict[str, int]  # name -> offset
    kinds: dict[str, tuple[torch.Size, torch.dtype]]
    size: int

    @classmethod
    def of(cls, state: Mapping[str, Tensor]) -> Layout:
        """Return the layout of a state dict."""
        places: dict[str, int] = {}
        kinds: dict[str, tuple[torch.Size, torch.dtype]] = {}
        seen: dict[tuple[int, torch.Size, tuple[int, ...]], int] = {}
        size = 0
        for name, tensor in state.items():
            same = tensor.data_ptr(), tensor.shape, tensor.stride()
            if not tensor.numel() or same not in seen:
                seen[same] = size
                size += -(-tensor.numel() * tensor.element_size() // _ALIGNED) * _ALIGNED
            places[name], kinds[name] = seen[same], (tensor.shape, tensor.dtype)
        return cls(places, kinds, max(size, _ALIGNED))

    def views(self, block: Tensor) -> dict[str, Tensor]:
        """Return the tensors in a block `(size,)` of uint8, as views."""
        views = {}
        for name, (shape, dtype) in self.kinds.items():
            count = shape.numel() * dtype.itemsize
            start = self.places[name]
            views[name] = block[start : start + count].view(dtype).view(shape)
        return views

    def write(self, views: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> None:
        """Copy a state dict into the views of a block."""
        for name, view in views.items():
            view.copy_(state[name])

    def pack(self, state: Mapping[str, Tensor]) -> Tensor:
        """Return a state dict as a block `(size,)` of uint8."""
        block = torch.zeros(self.size, dtype=torch.uint8)
        with torch.no_grad():
            self.write(self.views(block), state)
        return block


class Published:
    """Two copies of a state dict in shared memory; make it before the fork."""

    def __init__(self, layout: Layout, lock: Lock) -> None:
        self.layout, self._lock = layout, lock
        self._memory = mmap.mmap(-1, _ALIGNED + 2 * layout.size)
        whole = torch.frombuffer(self._memory, dtype=torch.uint8)  # (64 + 2 * size,)
        self._blocks = whole[_ALIGNED:].view(2, layout.size)
        self._views = [layout.views(block) for block in self._blocks]
        self._write_head(0, 0, -1, -1)

    def _head(self) -> tuple[int, int, int, int]:
        return _HEAD.unpack_from(self._memory)

    def _write_head(self, *numbers: int) -> None:
        _HEAD.pack_into(self._memory, 0, *numbers)

    def write(self, step: int, state: Mapping[str, Tensor], wait: float = 0.0) -> bool:
        """Publish the weights after `step` updates; return False if a reader is copying just now."""
        front, count, *steps = self._head()
        with torch.no_grad():
            self.layout.write(self._views[1 - front], state)
        if not (self._lock.acquire(True, wait) if wait else self._lock.acquire(False)):
            return False
        steps[1 - front] = step
        self._write_head(1 - front, count + 1, *steps)
        self._lock.release()
        return True

    def read(self, seen: int = 0) -> tuple[int, int, Tensor] | None:
        """Return the count of publications, the step and a copy of the block in front.

        None where there is nothing newer than the publication `seen`, or the lock is not to be had.
        """
        if self._head()[1] <= seen or not self._lock.acquire(True, _PATIENCE):
            return None
        try:
            front, count, *steps = self._head()
            return count, steps[front], self._blocks[front].clone()
        finally:
            self._lock.release()
