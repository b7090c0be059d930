"""How the notebook and a training talk: commands to the trainer, what it tells in return.

Both are small JSON objects. Neither side waits for the other: what does not fit into a pipe is said
later, and only the latest of what the trainer tells matters. `Closed` is raised where the other side is
gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
import threading
import time
from typing import Any, Protocol

__all__ = ["Closed", "Link", "PipeLink", "QueueLink", "pipe_links"]

Message = dict[str, Any]

_LONGEST = 3500  # bytes of a message: below PIPE_BUF, so that it is written whole or not at all
_READ = 1 << 16


class Closed(Exception):
    """The other side is gone."""


class Link(Protocol):
    """One end of a conversation."""

    def say(self, message: Message) -> bool:
        """Send a message; return False if there is no room for it now."""

    def hear(self, timeout: float = 0.0) -> list[Message]:
        """Return what was said, after at most so many seconds; raise `Closed` once the other is gone."""

    def close(self) -> None:
        """Be gone for the other side."""


class PipeLink:
    """An end that reads from one pipe and writes to another."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing = reading, writing
        self._rest = b""
        self._closing = (
            threading.Lock()
        )  # a closed descriptor's number soon belongs to another file
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)

    def say(self, message: Message) -> bool:
        """Send a message; return False if the pipe is full."""
        line = json.dumps(message).encode() + b"\n"
        if len(line) > _LONGEST:
            short = {**message, "message": str(message.get("message", ""))[:400]}
            line = json.dumps(short).encode() + b"\n"
        with self._closing:
            try:
                os.write(self._writing, line)
            except BlockingIOError:
                return False
            except OSError:
                return True  # nobody listens any more; `hear` says so
        return True

    def hear(self, timeout: float = 0.0) -> list[Message]:
        """Return what was said, after at most so many seconds."""
        if self._reading < 0 or not _readable(self._reading, timeout):
            return []
        try:
            content = os.read(self._reading, _READ)
        except BlockingIOError:
            return []
        except OSError:
            content = b""
        if not content:
            raise Closed
        *lines, self._rest = (self._rest + content).split(b"\n")
        return [message for line in lines if (message := _parsed(line)) is not None]

    def close(self) -> None:
        """Close both pipes."""
        with self._closing:
            ends = self._reading, self._writing
            self._reading = self._writing = -1
            for end in ends:
                if end >= 0:
                    _ours.discard(end)
                    with contextlib.suppress(OSError):
                        os.close(end)

    def keep_from_children(self) -> None:
        """Close this end in whatever this process forks from now on: a copy would keep the pipe open."""
        _ours.update((self._reading, self._writing))


def _readable(descriptor: int, seconds: float) -> bool:
    """Whether there is something to read, or the end, within so many seconds."""
    if not hasattr(select, "poll"):
        return bool(select.select([descriptor], [], [], seconds)[0])
    poll = select.poll()  # unlike `select` it takes descriptors above 1023
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(1000 * seconds))


_ours: set[int] = set()  # descriptors that no child may keep


def _close_in_child() -> None:
    while _ours:
        with contextlib.suppress(OSError):
            os.close(_ours.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)


def pipe_links() -> tuple[PipeLink, PipeLink]:
    """Return the notebook's end and the trainer's."""
    to_trainer, to_notebook = os.pipe(), os.pipe()
    return PipeLink(to_notebook[0], to_trainer[1]), PipeLink(to_trainer[0], to_notebook[1])


def _parsed(line: bytes) -> Message | None:
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


class QueueLink:
    """An end between two threads of one process."""

    def __init__(self, reading: queue.SimpleQueue[Any], writing: queue.SimpleQueue[Any]) -> None:
        self._reading, self._writing = reading, writing

    @classmethod
    def pair(cls) -> tuple[QueueLink, QueueLink]:
        """Return the notebook's end and the trainer's."""
        one: queue.SimpleQueue[Any] = queue.SimpleQueue()
        other: queue.SimpleQueue[Any] = queue.SimpleQueue()
        return cls(one, other), cls(other, one)

    def say(self, message: Message) -> bool:
        """Send a message."""
        self._writing.put(message)
        return True

    def hear(self, timeout: float = 0.0) -> list[Message]:
        """Return what was said, after at most so many seconds."""
        heard: list[Message] = []
        end = time.monotonic() + timeout
        with contextlib.suppress(queue.Empty):
            while True:
                left = 0.0 if heard else max(0.0, end - time.monotonic())
                message = self._reading.get(left > 0, left) if left else self._reading.get_nowait()
                if message is None:
                    if heard:
                        self._reading.put(None)
                        break
                    raise Closed
                heard.append(message)
        return heard

    def close(self) -> None:
        """Be gone for the other side."""
        self._writing.put(None)
