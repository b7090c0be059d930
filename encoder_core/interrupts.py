"""Let a person, or a cluster, stop a long computation between two steps and lose nothing.

Source: Python's documentation of `signal`, "Execution of Python signal handlers".
"""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

__all__ = ["Interrupts"]


class Interrupts:
    """While entered, notes the first interrupt instead of raising it; a second one is raised.

    An exception in the middle of an optimizer's step leaves a model of which half is updated.
    So the loop asks `asked` between steps and ends by itself. SIGINT is Ctrl-C and Jupyter's stop
    button; SIGTERM is what torchrun and clusters send before they kill. Outside of the main
    thread, where Python allows no handlers, nothing is caught and `asked` stays False.

    Attributes:
        asked: the signal that came, or None.

    Raises:
        KeyboardInterrupt: from the second signal on, for a step that takes too long to wait for.

    >>> with Interrupts() as interrupts:
    ...     signal.raise_signal(signal.SIGINT)
    ...     print(interrupts.asked.name)
    SIGINT
    """

    def __init__(self) -> None:
        self.asked: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for which in (signal.SIGINT, signal.SIGTERM):
                self._before[which] = signal.signal(which, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for which, handler in self._before.items():
            signal.signal(which, handler if handler is not None else signal.SIG_DFL)
        self._before.clear()

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked is not None:
            raise KeyboardInterrupt
        self.asked = signal.Signals(number)
