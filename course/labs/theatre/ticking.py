"""A thread that does one thing again and again, soon after it is woken and not too often."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from course.system.threads import end_at_exit

PAUSE = 0.05  # seconds: at most 20 updates a second


class Ticker:
    """Calls `tick` in a thread of its own after each `wake`, however many there were meanwhile.

    Args:
        tick: what to do; it must not raise.
        pause: the seconds from one call to the next at least, where nobody is in a hurry.
    """

    def __init__(self, tick: Callable[[], None], pause: float = PAUSE) -> None:
        self._tick, self._pause = tick, pause
        self._changed = threading.Condition()
        self._woken = self._hurry = self._closed = False
        self._thread: threading.Thread | None = None

    def wake(self, hurry: bool = False) -> None:
        """Have `tick` called: after the pause, or at once. Never blocks for long."""
        with self._changed:
            if self._closed:
                return
            self._woken = True
            self._hurry = self._hurry or hurry
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="theatre")
                self._thread.start()
                end_at_exit(self._thread, self.close)
            self._changed.notify()

    def close(self) -> None:
        """Call it no more; a call that is under way ends by itself."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _run(self) -> None:
        last = -self._pause
        while self._wait(last):
            last = time.monotonic()
            self._tick()

    def _wait(self, last: float) -> bool:
        """Wait until it is time; False once closed."""
        with self._changed:
            while not self._closed:
                left = last + self._pause - time.monotonic()
                if self._woken and (self._hurry or left <= 0):
                    self._woken = self._hurry = False
                    return True
                self._changed.wait(left if self._woken else None)
        return False
