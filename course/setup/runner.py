"""Runs other programs: line by line into a log, under a lock, with progress on the screen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TextIO

Lines = Callable[[str], None]
_held: list[int] = []  # descriptors of the locks that children inherit (not on Windows)


def run(
    command: Sequence[str | Path], on_line: Lines, environ: Mapping[str, str] | None = None
) -> int:
    """Run a command without input, hand each line of what it says to `on_line`; its exit status."""
    with subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(environ) if environ is not None else None,
        encoding="utf-8",
        errors="replace",
        pass_fds=tuple(_held),  # a child that outlives this process keeps the lock
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                on_line(line.rstrip())
        except BaseException:
            process.terminate()
            raise
    return process.returncode


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and a closed terminal stop the course as Ctrl-C does, with what it started."""
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        names = []

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = {}
    for number in (getattr(signal, name) for name in names):
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores SIGHUP: that stays
            before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Progress:
    """Steps with a running clock on a terminal; plain lines where there is none."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty()
        self._title = self._detail = ""
        self._began = 0.0

    def say(self, text: str) -> None:
        """Print a line of its own."""
        print(text, file=self.stream, flush=True)

    def detail(self, text: str, *, milestone: bool = False) -> None:
        """Say what the step is at; without a terminal only milestones are printed."""
        self._detail = text
        if milestone and not self.live:
            self.say(f"    {text}")

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show a step while it runs, and how long it took at the end."""
        self._title, self._detail, self._began = title, "", time.monotonic()
        done = threading.Event()
        clock = threading.Thread(target=self._tick, args=(done,), daemon=True)
        if self.live:
            clock.start()
        else:
            self.say(f"  {title} ...")
        try:
            yield
        finally:
            done.set()
            if self.live:
                clock.join()
                self.stream.write("\r\x1b[K")
        self.say(f"  {title}: {self._elapsed()}" if self.live else f"    {self._elapsed()}")

    def _tick(self, done: threading.Event) -> None:
        while not done.wait(0.2):
            text = f"  {self._title}  {self._elapsed()}  {self._detail}"
            self.stream.write("\r" + text[:78] + "\x1b[K")
            self.stream.flush()

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._began:.0f} s"


@contextmanager
def locked(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold a lock that the system lets go of when the process ends, however it ends.

    What `run` starts meanwhile inherits it: should this process be killed, the next one waits until
    the installer that it left behind has ended.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as handle:
        if not _lock(handle):
            waiting()
            while not _lock(handle):
                time.sleep(0.5)
        if sys.platform != "win32":
            _held.append(handle.fileno())
        try:
            yield
        finally:
            if sys.platform != "win32":
                _held.remove(handle.fileno())
            _unlock(handle)


def _let_go() -> None:
    """In a forked copy of this process: only what `run` starts keeps the lock."""
    while _held:
        os.close(_held.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: IO[bytes]) -> bool:
        try:
            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(handle: IO[bytes]) -> None:
        handle.seek(0)
        msvcrt.locking(handle.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(handle: IO[bytes]) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(handle: IO[bytes]) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)
