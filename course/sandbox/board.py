"""A few numbers and one text that a child process shares with the process that watches it.

The child notes where it is, so that the other can tell one call that hangs from many that come to an end;
what it finds out it leaves here too, for an answer may have closed every file.
"""

from __future__ import annotations

import mmap
import os
import struct
from typing import Any

_SIZE = 1 << 26  # of address space: memory is taken only where something is written
_HEAD = struct.Struct("<6Q")
_COUNT = struct.Struct("<Q")  # after the head: how often the child, or its children, forked
_TEXT = _HEAD.size + _COUNT.size
_FORKS = 64  # children of children, after which there are no more


class Board:
    """Shared memory: `serial`, `depth`, `stage`, `trial`, `failed` and `length` of the text."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _SIZE)
        self._owner = 0
        self.numbers = [0, 0, 0, 0, 0, 0]

    def own(self) -> None:
        """Write from this process alone; what it forks counts as strays, and they end early."""
        self._owner = os.getpid()
        os.register_at_fork(before=self._count, after_in_child=self._strayed)

    def _count(self) -> None:
        _COUNT.pack_into(self._memory, _HEAD.size, self._counted() + 1)

    def _counted(self) -> int:
        return int(_COUNT.unpack_from(self._memory, _HEAD.size)[0])

    def overrun(self) -> bool:
        """Whether the child and its children start processes without end."""
        return self._counted() > _FORKS

    def _strayed(self) -> None:
        if self.overrun():
            os._exit(1)
        self._owner = 0

    def enter(self) -> None:
        """A block begins that must come to an end."""
        self.numbers[0] += 1
        self.numbers[1] += 1
        self._write()

    def leave(self) -> None:
        """The block has ended; a copy of the process that an answer made ends here with it."""
        if os.getpid() != self._owner:
            os._exit(0)
        self.numbers[0] += 1
        self.numbers[1] -= 1
        self._write()

    def at(self, *, trial: int, failed: int) -> None:
        """The trial that is next, and how many have failed."""
        self.numbers[3:5] = trial, failed
        self._write()

    def searching(self) -> None:
        """The trials are over; what follows looks for the reason."""
        self.numbers[2] = 1
        self._write()

    def _write(self) -> None:
        if self._owner:
            _HEAD.pack_into(self._memory, 0, *self.numbers)

    def publish(self, text: bytes) -> None:
        """Leave the text; ValueError where it is too long."""
        if os.getpid() != self._owner:
            os._exit(0)
        self._memory[_TEXT : _TEXT + len(text)] = text
        self.numbers[5] = len(text)
        self._write()

    def read(self) -> list[int]:
        """The numbers, as the child last wrote them."""
        return list(_HEAD.unpack_from(self._memory))

    def text(self) -> bytes | None:
        """What the child published, if it has."""
        length = self.read()[5]
        return self._memory[_TEXT : _TEXT + length] if length else None

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()


_here: Any = None  # this process's own board, where it is a child that is watched


def set_board(board: Board) -> None:
    """Note on this board from now on."""
    global _here
    _here = board


def here() -> Board | None:
    """The board on which this process notes where it is; None where nobody watches it."""
    return _here  # type: ignore[no-any-return]
