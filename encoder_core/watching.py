"""A list of functions that each serve only the thread, and the process, that added them.

So a recording in one thread neither sees nor slows a training of the same model in another.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["Watchers", "this_thread"]

Watcher = Callable[..., Any]


def this_thread() -> tuple[int, int]:
    """Return what tells this thread from all others; a forked child has another than its parent."""
    return os.getpid(), threading.get_ident()


class Watchers:
    """Functions of the current thread, in the order in which they were added.

    >>> watchers = Watchers()
    >>> watchers.append(print)
    >>> thread = threading.Thread(target=lambda: print(len(watchers)))
    >>> thread.start(), thread.join()
    0
    (None, None)
    >>> len(watchers)
    1
    """

    def __init__(self) -> None:
        self._of_all: list[tuple[tuple[int, int], Watcher]] = []

    def append(self, watcher: Watcher) -> None:
        """Add a function for the current thread."""
        self._of_all.append((this_thread(), watcher))

    def remove(self, watcher: Watcher) -> None:
        """Remove a function, whichever thread added it; raise ValueError if it is not there."""
        for place, (_, one) in enumerate(self._of_all):
            if one is watcher:
                del self._of_all[place]
                return
        raise ValueError(f"{watcher!r} does not watch.")

    def __iter__(self) -> Iterator[Watcher]:
        return iter(self._mine())

    def __len__(self) -> int:
        return len(self._mine())

    def _mine(self) -> list[Watcher]:
        if not self._of_all:  # asked in every call of every attention
            return []
        mine = this_thread()
        return [watcher for thread, watcher in self._of_all if thread == mine]
