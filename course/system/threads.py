"""So that nobody waits: one thread for what is small, no garbage collection before a picture, an end at the exit."""

from __future__ import annotations

import atexit
import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread inside of the `with`, and with as many as before after it.

    >>> before = torch.get_num_threads()
    >>> with one_thread():
    ...     torch.get_num_threads()
    1
    >>> torch.get_num_threads() == before
    True
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def collected_later() -> Iterator[None]:
    """Let Python's garbage collector wait until the `with` has ended.

    With torch loaded a full collection takes tens of milliseconds; a picture should not wait for it.

    >>> with collected_later():
    ...     gc.isenabled()
    False
    >>> gc.isenabled()
    True
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


_EXIT = 5.0  # seconds that the interpreter's end waits for all of them
_ending: weakref.WeakKeyDictionary[threading.Thread, Callable[[], object]] = (
    weakref.WeakKeyDictionary()
)


def end_at_exit(thread: threading.Thread, ask: Callable[[], object] = lambda: None) -> None:
    """Let a daemon thread that computes with torch end before the interpreter does.

    Python ends daemon threads where they next need its lock. Within torch's code that is fatal: the
    process aborts with "terminate called without an active exception".

    Args:
        thread: it is waited for at the exit, for at most some seconds.
        ask: called before, so that it ends soon.
    """
    _ending[thread] = ask


@atexit.register
def _end_all() -> None:
    threads = list(_ending.items())
    for _, ask in threads:
        with suppress(Exception):
            ask()
    end = time.monotonic() + _EXIT
    for thread, _ in threads:
        with suppress(RuntimeError):  # it was never started
            thread.join(max(0.0, end - time.monotonic()))
