"""Keep freed memory for the next update, on Linux.

The C library gives a large block back to the system when it is freed, and the system hands out pages of zeros when
the next one is allocated. A training frees and allocates the same blocks in every update; benchmarks/pretraining.py
measures what that costs.

Source: `mallopt(3)` in the Linux manual; "Performance Tuning Guide" of PyTorch (memory allocators on the CPU).
"""

from __future__ import annotations

import ctypes
import sys

__all__ = ["keep_memory"]

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # numbers of mallopt's settings
_MOST, _USUAL_MAPS, _USUAL_TRIM = 2**31 - 1, 65536, 128 << 10


def keep_memory(keep: bool = True) -> bool:
    """Let this process keep up to 2 GB of freed memory, or give it back as usual; return whether it keeps it now.

    Nothing is changed where the C library is not glibc: on macOS, on Windows, with musl.

    >>> keep_memory(False)
    False
    """
    library = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    assert library is not None
    maps, trim = (0, _MOST) if keep else (_USUAL_MAPS, _USUAL_TRIM)
    done = library.mallopt(_MMAP_MAX, maps) and library.mallopt(_TRIM_THRESHOLD, trim)
    return bool(done) and keep
