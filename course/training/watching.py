"""A thread that listens to a worker, notices its end, and ends one that does not obey."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from course.sandbox import patience
from course.training.link import Closed
from course.training.workers import Worker

__all__ = ["Watch"]

_LISTEN = 0.25  # seconds between two looks at a silent worker
_STOP = (3.0, 8.0)  # seconds after which a worker that should end is asked again, and killed
_BEGIN = 2.0  # seconds of sleep after which a child that never began hangs at a lock


class Watch:
    """Follows one worker to its end.

    Args:
        heard: called with each message.
        ended: called once, with the exit status, and whether it hung before it began.
    """

    def __init__(
        self,
        worker: Worker,
        heard: Callable[[dict[str, Any]], None],
        ended: Callable[[int, bool], None],
    ) -> None:
        self.worker = worker
        self._heard, self._ended = heard, ended
        self._asked: float | None = None  # when the worker was asked to end
        self.asked_to_stop = self._begun = self._hung = False
        self._began = time.monotonic()
        self._usage = _usage(worker)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def ask_to_end(self, command: str) -> None:
        """Ask the worker to end; one that does not is killed some seconds later."""
        self.asked_to_stop = command == "stop"
        if self._asked is None:
            self._asked = time.monotonic()
        self.worker.link.say({"do": command})

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end; return whether it has come."""
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        link, status = self.worker.link, None
        listening = True
        while status is None:
            status = self.worker.ended()
            try:
                for message in link.hear(_LISTEN) if listening else ():
                    waits = message.get("state") not in ("begun", "running")
                    self._begun = self._begun or waits or bool(message.get("made"))
                    self._heard(message)
            except Closed:
                listening = False  # it has ended, or will at once
            if not listening and status is None:
                time.sleep(0.01)
            self._insist()
        if listening:  # its last words
            try:
                for message in link.hear():
                    self._heard(message)
            except Closed:
                pass
        link.close()
        self._ended(status, self._hung)

    def _insist(self) -> None:
        now = time.monotonic()
        if self._asked is not None:
            if now - self._asked > _STOP[1]:
                self.worker.kill(hard=True)
            elif now - self._asked > _STOP[0]:
                self.worker.kill(hard=False)
        elif not self._begun and not self._hung and now - self._began > _BEGIN:
            self._hung = _asleep(self._usage, _usage(self.worker))
            if self._hung:
                self.worker.kill(hard=True)


def _usage(worker: Worker) -> patience.Moment | None:
    pid = getattr(worker, "pid", None)  # a thread has none
    return None if pid is None else patience.of_process(pid)


def _asleep(began: patience.Moment | None, now: patience.Moment | None) -> bool:
    """Whether a process has neither computed nor waited for a processor for most of the time."""
    if began is None or now is None:
        return False
    clock, computed = now.clock - began.clock, now.computed - began.computed
    awake = computed if now.awake is None or began.awake is None else now.awake - began.awake
    return max(computed, awake) < 0.5 * clock
