"""A thread that listens to a worker, notices its end, and ends one that hangs or does not obey."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from course.sandbox import patience
from course.system.threads import end_at_exit
from course.training.link import Closed
from course.training.workers import Worker

__all__ = ["Ending", "Watch"]

_LISTEN = 0.25  # seconds between two looks at a silent worker
_STOP = (3.0, 8.0)  # seconds after which a worker that should end is asked again, and killed
_BEGIN = 2.0  # seconds after which a child that has begun nothing and slept hangs at a lock
_SILENT = 10.0  # ... and one that should be training, tells nothing and sleeps
_REAP = 5.0  # seconds in which a killed child is gone


@dataclass(frozen=True)
class Ending:
    """How a worker ended.

    Attributes:
        status: 0, a positive code, or minus a signal's number.
        asked: the command to end that it was given, "stop" or "leave"; "" for none.
        hung: whether it was killed because it had come to rest at a lock.
        fault: why the watch itself could not go on.
    """

    status: int
    asked: str = ""
    hung: bool = False
    fault: str = ""


class Watch:
    """Follows one worker to its end, and always says that it has come.

    Args:
        heard: called with each message.
        ended: called once, at the end.
        busy: whether the worker should be making updates, and so tell of them.
    """

    def __init__(
        self,
        worker: Worker,
        heard: Callable[[dict[str, Any]], None],
        ended: Callable[[Ending], None],
        busy: Callable[[], bool],
    ) -> None:
        self.worker = worker
        self.asked = ""  # the command to end that it was given
        self._heard, self._ended, self._busy = heard, ended, busy
        self._asked_at = 0.0
        self._begun = self._hung = self._exiting = False
        self._listening = True
        self._silent = _usage(worker)  # since when it has told nothing
        self._thread = threading.Thread(target=self._run, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no room for a thread: nobody would watch it
            worker.kill(hard=True)
            worker.link.close()
            raise
        end_at_exit(self._thread, self._exit)

    def ask_to_end(self, command: str) -> None:
        """Ask the worker to end; one that does not is killed some seconds later."""
        if not self.asked:
            self._asked_at = time.monotonic()
        self.asked = command
        self.worker.link.say({"do": command})

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end; return whether it has come."""
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _exit(self) -> None:
        """Watch no more: this process ends, which its worker notices."""
        self._exiting = True

    def _run(self) -> None:
        status, fault = 1, ""
        try:
            status = self._follow()
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
            self._end_it()
        self.worker.link.close()
        if self._exiting:
            return
        self._ended(Ending(status, self.asked, self._hung, fault))

    def _follow(self) -> int:
        """Listen until the worker has ended; return its status."""
        while not self._exiting:
            status = self.worker.ended()
            if status is not None:
                while self._hear(0.0):  # its last words
                    pass
                return status
            if not self._listening:  # it has ended, or will at once
                time.sleep(0.01)
            self._hear(_LISTEN)
            self._insist()
        return 0

    def _hear(self, timeout: float) -> bool:
        """Hand on what was said; return whether there was something."""
        try:
            messages = self.worker.link.hear(timeout) if self._listening else []
        except Closed:
            self._listening = False
            return False
        for message in messages:
            waits = message.get("state") not in ("begun", "running")
            self._begun = self._begun or waits or bool(message.get("made"))
            self._heard(message)
        if messages and self._begun:
            self._silent = _usage(self.worker)
        return bool(messages)

    def _insist(self) -> None:
        waited = time.monotonic() - self._asked_at
        if self.asked:
            if waited > _STOP[0]:
                self.worker.kill(hard=waited > _STOP[1])
        elif self._begun and not self._busy():
            self._silent = _usage(self.worker)
        elif not self._hung and _asleep(self.worker, self._silent, self._begun):
            self._hung = True
            self.worker.kill(hard=True)

    def _end_it(self) -> None:
        self.worker.kill(hard=True)
        end = time.monotonic() + _REAP
        while self.worker.ended() is None and time.monotonic() < end:
            time.sleep(0.01)


def _usage(worker: Worker) -> patience.Moment | None:
    pid = getattr(worker, "pid", None)  # a thread has none
    return None if pid is None else patience.of_process(pid)


def _asleep(worker: Worker, before: patience.Moment | None, begun: bool) -> bool:
    """Whether a process has slept for so long, without computing or waiting for a processor or a disk."""
    longest, share = (_SILENT, patience.IDLE) if begun else (_BEGIN, 0.5)
    if before is None or time.monotonic() - before.clock < longest:
        return False
    now = _usage(worker)
    if now is None or not patience.sleeps(getattr(worker, "pid", 0)):
        return False
    clock, computed = now.clock - before.clock, now.computed - before.computed
    awake = computed if now.awake is None or before.awake is None else now.awake - before.awake
    return max(computed, awake) < share * clock
