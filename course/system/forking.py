"""Fork this process so that the copy can compute: what rests before, and how the copy settles.

A fork has all that the notebook has and one thread of its threads. OpenMP would wait for the others, so
it ends its threads first; a library that another thread was in the middle of may stay locked, so whoever
forks must be ready to end a copy that never begins.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import os
import re
import signal
import sys
import warnings
from typing import Any

import torch

__all__ = ["field", "fork", "possible", "settle"]

_HARD, _GIGABYTE = 2, 1 << 30


def possible() -> bool:
    """Whether a copy of this process could compute.

    On Linux alone: elsewhere the system's libraries for numbers may not survive a fork. Not with a GPU:
    torch computes no gradients in a fork of a process that has used one. And not while a debugger
    follows the code, which would lose it.
    """
    return (
        sys.platform == "linux"
        and sys.gettrace() is None
        and not torch.cuda.is_available()
        and not (hasattr(torch, "xpu") and torch.xpu.is_available())
    )


def fork() -> int:
    """Return 0 in the copy, and the copy's process id in this process, as `os.fork`."""
    _rest()
    with (
        warnings.catch_warnings()
    ):  # Python 3.12 warns of other threads, on which nothing here waits
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _rest() -> None:
    """Let OpenMP end its threads: a child would wait for threads that it does not have."""
    for library in _openmp():
        library.omp_pause_resource_all(_HARD)  # a new team is made when it is needed


@functools.cache
def _openmp() -> tuple[Any, ...]:
    """The OpenMP libraries that are loaded, where they know how to rest."""
    with open("/proc/self/maps") as maps:
        paths = {line.split()[-1] for line in maps if re.search(r"/lib(g|i)?omp[^/]*\.so", line)}
    libraries = [ctypes.CDLL(path) for path in sorted(paths)]
    return tuple(one for one in libraries if hasattr(one, "omp_pause_resource_all"))


def settle(memory: int) -> None:
    """In the copy: forget the notebook's signal handlers, and take at most so many more bytes."""
    gc.freeze()  # what the notebook holds need not be looked through, and so not copied
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)
    _limit_memory(memory)


def _limit_memory(most: int) -> None:
    """A learner's memory is not for one child; and where it is short, the system takes this process first."""
    import resource

    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        held = int(field("/proc/self/statm", "", 0)) * resource.getpagesize()
        free = 1024 * int(field("/proc/meminfo", "MemAvailable:", 1))
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (held + min(most, max(free // 2, _GIGABYTE)), hard))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def field(path: str, start: str, index: int) -> str:
    """A word of the first line that begins so."""
    with open(path) as file:
        return next(line for line in file if line.startswith(start)).split()[index]
