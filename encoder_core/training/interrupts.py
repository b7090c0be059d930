"""Stop a long computation between two steps on SIGINT or SIGTERM, so that no work is lost.

Source: Python's documentation of `signal`, "Execution of Python signal handlers"; POSIX.1-2017,
section 2.4 (a process ended by a signal reports it to its parent).
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

__all__ = ["Interrupts"]


class Interrupts:
    """Note the first interrupt instead of raising it, inside a `with` block; raise the second.

    An exception in the middle of an optimizer's step would leave half of the model updated. So the
    loop reads `asked`, the signal or None, between steps and ends by itself.

    SIGINT (Ctrl-C, Jupyter's stop button) ends the loop only. SIGTERM (torchrun, cluster schedulers)
    asks the process to end: when the block ends it is raised again, with the earlier handler in place.
    An ignored SIGTERM stays ignored. Outside of the main thread Python allows no handlers: `asked`
    stays None.

    Raises:
        KeyboardInterrupt: on the second signal, for a step that takes too long.
        SystemExit: at the end of the block after SIGTERM, if the signal cannot end the process, as
            for process 1 of a container.

    >>> with Interrupts() as interrupts:
    ...     signal.raise_signal(signal.SIGINT)
    ...     print(interrupts.asked.name)
    SIGINT
    """

    def __init__(self) -> None:
        self.asked: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}
        self._terminated = self._shielded = self._held_back = False

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for which in (signal.SIGINT, signal.SIGTERM):
                handler = signal.getsignal(which)
                ignored = which == signal.SIGTERM and handler == signal.SIG_IGN
                if handler is not None and not ignored:  # None: Python cannot restore it
                    self._before[which] = handler
                    signal.signal(which, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        before = dict(self._before)
        self._before.clear()
        for which, handler in before.items():
            signal.signal(which, handler)
        if self._terminated and signal.SIGTERM in before:
            _pass_on(signal.SIGTERM)

    def ask(self, which: signal.Signals) -> None:
        """Note a signal that another process of the same training received."""
        self._terminated = self._terminated or which == signal.SIGTERM
        self.asked = self.asked or which

    @contextmanager
    def shield(self) -> Iterator[None]:
        """Defer the KeyboardInterrupt of a second signal to the end of this block."""
        outer, self._shielded = self._shielded, True
        try:
            yield
        finally:
            self._shielded = outer
            if self._held_back and not outer:
                self._held_back = False
                raise KeyboardInterrupt

    def _note(self, number: int, frame: FrameType | None) -> None:
        again = self.asked is not None
        self.ask(signal.Signals(number))
        if again and self._shielded:
            self._held_back = True
        elif again:
            raise KeyboardInterrupt


def _pass_on(which: signal.Signals) -> None:
    """Send a signal to this process again, after the earlier handler has been restored."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # closed, or None
            stream.flush()  # a process that a signal ends does not flush
    signal.raise_signal(which)
    if signal.getsignal(which) == signal.SIG_DFL:
        raise SystemExit(128 + which)  # process 1 of a container survives the default action
