"""Files written whole or not at all, and by one process at a time. Standard library only."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep, time
from typing import IO

LARGEST = 64 * 2**20  # bytes; no file of the learner's folder is near it
_LOCK_SECONDS = 5.0
_LEFT_SECONDS = 3600.0  # no write takes as long
_LEFT = re.compile(r"\..+\.\d+\.tmp")


def read(path: Path) -> str:
    """Return the text of a regular file in UTF-8, without a byte-order mark.

    Raises:
        FileNotFoundError: there is nothing at this path.
        OSError: it cannot be read, is a folder, pipe, device or dangling link, or is larger than
            `LARGEST`. None of these blocks.
        ValueError: it is not UTF-8.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        if os.path.islink(path):
            raise OSError(errno.ELOOP, "a link to a file that is missing") from None
        raise
    with open(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        if about.st_size > LARGEST:
            raise OSError(errno.EFBIG, f"larger than {LARGEST // 2**20} MB")
        return file.read().decode("utf-8-sig")


def write(path: Path, content: str | bytes) -> None:
    """Replace a file whole: a process killed at any moment leaves the old file or the new one.

    A link to a file stays a link: the file behind it is replaced.
    """
    if path.is_symlink() and path.exists():
        path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        _replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # the new name too has to reach the disk
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    _sweep(path.parent)


def _sweep(folder: Path) -> None:
    """Remove what killed writes left; a process that writes now has a younger file."""
    try:
        for left in folder.iterdir():
            if _LEFT.fullmatch(left.name) and time() - left.lstat().st_mtime > _LEFT_SECONDS:
                left.unlink()
    except OSError:
        return  # another process sweeps, or the file is not ours: the write itself succeeded


def _replace(temporary: Path, path: Path) -> None:
    """os.replace, tried for a second where Windows refuses: another process has the file open."""
    for _ in range(20):
        try:
            return os.replace(temporary, path)
        except PermissionError:
            if os.name != "nt":
                raise
            sleep(0.05)
    os.replace(temporary, path)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process at a time change the files; the system frees the lock of a process that dies.

    Where the folder cannot be locked (read-only, a network drive), it goes on without.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A pipe of this name would block without O_NONBLOCK.
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NONBLOCK", 0)
        file = open(os.open(folder / "lock", flags, 0o666), "ab", buffering=0)  # noqa: SIM115
    except OSError:
        yield
        return
    with file:
        deadline = monotonic() + _LOCK_SECONDS
        while not _lock(file) and monotonic() < deadline:
            sleep(0.01)
        try:
            yield
        finally:
            _unlock(file)  # not by closing alone: a child forked meanwhile may have the file open


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        """Closing the file is enough: nothing is forked here."""

else:
    import fcntl

    def _lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True  # this file system has no locks
        return True

    def _unlock(file: IO[bytes]) -> None:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)
