"""One training at a time for a checkpoint: a lock that ends with the process that holds it.

The lock is one of the operating system's on an open file beside the checkpoint, `NAME.lock`. A
process that is killed releases it; the next training takes its file over.

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

_FAR = 1 << 30  # Windows locks bytes and forbids reading them: lock one beyond the text

_held: set[int] = set()  # descriptors of this process's locks


@contextmanager
def lock_checkpoint(path: Path) -> Iterator[None]:
    """Lock a checkpoint for one training; make its folder, remove a killed training's leftovers.

    Where the file system has no locks, the training runs without one. So does a training whose
    checkpoint exists in a read-only folder: it may have nothing left to do.

    Args:
        path: the checkpoint, there or not.

    Raises:
        RuntimeError: another training holds the lock, in this process or in another.
        OSError: nothing can be written there.

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
        if descriptor in _held:  # not so in a child that was forked meanwhile
            _release(descriptor, lock)


def _acquire(path: Path, lock: Path) -> int | None:
    """Open the file and lock it; return None where that is impossible."""
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
                    "Wait for its end, stop it, or give this training a checkpoint of its own."
                )
            # Its holder may have removed the file between the two calls: then lock the new one.
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
    """Lock, unless another holds it; OSError where the file system has no locks."""
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
    """Write who holds the lock, for the message that others get."""
    with contextlib.suppress(OSError):  # a full disk; the lock holds without
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
    """Remove the file while it is locked, then let go; Windows removes none that is open."""
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
    """Close what a forked child inherited, or it would hold the lock after its parent's end."""
    while _held:
        os.close(_held.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_in_child)
