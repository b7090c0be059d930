"""A lock file that gives a checkpoint to one training at a time.

It is an operating system's lock on the file `NAME.lock` beside the checkpoint. It ends with its
process: after a kill, the next training takes over the file.

Source: the Linux manual, flock(2); Python's documentation of `msvcrt.locking`.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from encoder_core.training.state import remove_unfinished, writing_error

__all__ = ["lock_checkpoint"]

_FAR = 1 << 30  # Windows blocks reads of locked bytes: lock one past the text

_held: set[int] = set()  # descriptors of this process's locks


@contextmanager
def lock_checkpoint(path: Path) -> Iterator[None]:
    """Lock a checkpoint, make its folder, and remove the unfinished files of killed trainings.

    Continue without a lock if the file system has none, or if the checkpoint exists in a read-only
    folder: its training may be complete.

    Raises:
        RuntimeError: another training holds the lock, in this process or in another.
        OSError: the folder is not writable.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "run.safetensors"
    >>> with lock_checkpoint(path), lock_checkpoint(path):
    ...     pass
    Traceback (most recent call last):
    ...
    RuntimeError: Another training (process ...) is using the checkpoint ...
    """
    lock = path.with_name(path.name + ".lock")
    descriptor = _acquire(path, lock)
    try:
        if descriptor is not None:
            remove_unfinished(path)
        yield
    finally:
        if descriptor in _held:  # not in a forked child
            _release(descriptor, lock)


def _acquire(path: Path, lock: Path) -> int | None:
    """Return the descriptor of the locked file, or None if it cannot be locked."""
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            if path.exists():
                return None
            raise writing_error(path, error) from error
        try:
            if not _try_lock(descriptor):
                raise RuntimeError(
                    f"Another training ({_holder(descriptor)}) is using the checkpoint {path}. "
                    "Wait for its end, stop it, or give this training another checkpoint."
                )
            # Between the two calls the holder may have removed the file: then lock the new one.
            if os.path.samestat(os.fstat(descriptor), os.stat(lock)):
                _sign(descriptor)
                _held.add(descriptor)
                return descriptor
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                return None
        finally:
            if descriptor not in _held:
                os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    """Return whether the lock was free; raise OSError if the file system has no locks."""
    try:
        if os.name == "nt":
            msvcrt = importlib.import_module("msvcrt")
            os.lseek(descriptor, _FAR, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl = importlib.import_module("fcntl")
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK):
            return False
        raise
    return True


def _sign(descriptor: int) -> None:
    """Write the holder's name, for the error message of other trainings."""
    with contextlib.suppress(OSError):  # such as a full disk; the lock holds anyway
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode())


def _holder(descriptor: int) -> str:
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        return os.read(descriptor, 200).decode(errors="replace") or "of an unknown process"
    except OSError:
        return "of an unknown process"


def _release(descriptor: int, lock: Path) -> None:
    """Remove the file while it is locked, then close it; Windows cannot remove an open file."""
    _held.discard(descriptor)
    try:
        if os.name != "nt":
            lock.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
    if os.name == "nt":
        with contextlib.suppress(OSError):
            lock.unlink(missing_ok=True)


def _let_go_in_child() -> None:
    """Close inherited descriptors: a forked child would keep the lock after its parent's end."""
    while _held:
        os.close(_held.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_in_child)
