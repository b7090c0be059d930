"""Tell those who look that something new is there, at most 20 times a second and from one thread."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable

__all__ = ["Notices"]

EVERY = 0.05  # seconds


class Notices:
    """Callbacks of one session; a slow one delays the others, and never the training."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], object]] = []
        self._news = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def subscribe(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call back from now on; return a function that ends it."""
        entry = [callback]  # an identity of its own: a callback may be subscribed twice

        def call() -> object:
            return entry[0]()

        with self._lock:
            self._callbacks.append(call)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()

        def unsubscribe() -> None:
            with self._lock:
                if call in self._callbacks:
                    self._callbacks.remove(call)
            self._news.set()

        return unsubscribe

    def tell(self) -> None:
        """Something new is there."""
        self._news.set()

    def _run(self) -> None:
        while True:
            self._news.wait()
            self._news.clear()
            with self._lock:
                callbacks = list(self._callbacks)
                if not callbacks:
                    self._thread = None
                    return
            for callback in callbacks:
                try:
                    callback()
                except Exception:
                    traceback.print_exc()
            time.sleep(EVERY)
