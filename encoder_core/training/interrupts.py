"""Let a person, or a cluster, stop a long computation between two steps and lose nothing.

Source: Python's documentation of `signal`, "Execution of Python signal handlers"; POSIX.1-2017,
section 2.4 (a process that ends by a signal tells its parent so).
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
    """While entered, notes the first interrupt instead of raising it; a second one is raised.

    An exception in the middle of an optimizer's step leaves a model of which half is updated.
    So the loop asks `asked` between steps and ends by itself. SIGINT is Ctrl-C and Jupyter's stop
    button; SIGTERM is what torchrun and clusters send before they kill. SIGINT ends
    the loop and nothing else. SIGTERM asks the whole process to end: on exit it is raised again
    with the earlier handler in place, by default the system's, which ends the process. A SIGTERM
    that the process ignores stays ignored. Outside of the main thread, where Python allows
    no handlers, nothing is caught and `asked` stays None.

    Attributes:
        asked: the signal that came, or None.

    Raises:
        KeyboardInterrupt: from the second signal on, for a step that takes too long to wait for.
        SystemExit: at the exit after SIGTERM, in a process that its own signal cannot end (the
            first one of a container).

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
                if handler is not None and not ignored:  # None: Python could not put it back
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
        """Note a signal that another process of the same training received.

        Args:
            which: the signal.

        >>> interrupts = Interrupts()
        >>> interrupts.ask(signal.SIGINT)
        >>> interrupts.asked.name
        'SIGINT'
        """
        self._terminated = self._terminated or which == signal.SIGTERM
        self.asked = self.asked or which

    @contextmanager
    def shield(self) -> Iterator[None]:
        """Hold a second interrupt back until the end of this block.

        Raises:
            KeyboardInterrupt: at the end, where a second signal arrived inside.

        >>> with Interrupts() as interrupts, interrupts.shield():
        ...     signal.raise_signal(signal.SIGINT)
        """
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
    """Send a signal to this process again, whose handler is now the one of before."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # closed, or None
            stream.flush()  # a process that a signal ends does not flush
    signal.raise_signal(which)
    if signal.getsignal(which) == signal.SIG_DFL:
        raise SystemExit(128 + which)  # process 1 of a container ignores the default action
