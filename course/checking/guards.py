"""Limits around a submission: time, output, random state and torch's settings stay the checker's own."""

from __future__ import annotations

import contextlib
import ctypes
import io
import random
import re
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import torch

from course.threads import one_thread

SECONDS = 4.0  # of computing that one call may take; waiting counts a quarter
IDLE = 0.05  # the share of a processor below which it waits rather than computes


class TimeLimit(BaseException):
    """Raised inside a submission that does not come to an end; no `except Exception` swallows it."""


@contextlib.contextmanager
def time_limit(seconds: float | None = None) -> Iterator[None]:
    """Raise TimeLimit inside the block once it has computed for `seconds`, or waited four times as long.

    Computing time counts, not the clock, so that a busy machine turns no right answer down: what gets
    a processor now and then is not waiting. On the main thread of Linux and macOS a signal interrupts
    even a sleep; elsewhere a second thread raises the exception at the next Python instruction.
    """
    seconds = SECONDS if seconds is None else seconds
    started, computed = time.monotonic(), time.process_time()

    def spent() -> bool:
        clock, computing = time.monotonic() - started, time.process_time() - computed
        waits = clock > 4 * seconds and computing < IDLE * clock
        return computing > seconds or waits or clock > 16 * seconds

    if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
        with _alarm(seconds, spent):
            yield
    else:
        with _watchdog(seconds, spent):
            yield


@contextlib.contextmanager
def _alarm(seconds: float, spent: Callable[[], bool]) -> Iterator[None]:
    active = True

    def ring(number: int, frame: FrameType | None) -> None:
        # What opens and closes the block must not be broken off: the alarm would stay.
        inside = frame is None or frame.f_code.co_filename not in (__file__, contextlib.__file__)
        if active and inside and spent():
            raise TimeLimit

    earlier = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(
        signal.ITIMER_REAL, seconds, 0.05
    )  # again and again: a bare `except:` may swallow one
    try:
        yield
    finally:
        active = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)


@contextlib.contextmanager
def _watchdog(seconds: float, spent: Callable[[], bool]) -> Iterator[None]:
    thread, done, lock = threading.get_ident(), threading.Event(), threading.Lock()

    def watch() -> None:
        while not done.wait(0.05):
            with lock:
                if not done.is_set() and spent():
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(
                        ctypes.c_ulong(thread), ctypes.py_object(TimeLimit)
                    )

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        with lock:
            done.set()
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), None)


class Capped(io.TextIOBase):
    """A text stream that keeps the first characters and counts the rest."""

    def __init__(self, limit: int = 400) -> None:
        self.limit, self.kept, self.written, self.lines = limit, "", 0, 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Keep what there is room for."""
        self.kept += text[: max(0, self.limit - len(self.kept))]
        self.written += len(text)
        self.lines += text.count("\n")
        return len(text)


@contextlib.contextmanager
def quiet() -> Iterator[Capped]:
    """Collect what is printed or warned of instead of flooding the notebook."""
    stream = Capped()
    with (
        contextlib.redirect_stdout(stream),
        contextlib.redirect_stderr(stream),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield stream


@contextlib.contextmanager
def settings_kept() -> Iterator[list[str]]:
    """Put back torch's settings and seed; the list tells which of them the block had changed.

    Drawing random numbers is not listed, seeding is.
    """
    changed: list[str] = []
    seed, before = torch.initial_seed(), _settings()
    try:
        yield changed
    finally:
        if torch.initial_seed() != seed:
            changed.append("seed")
            torch.manual_seed(seed)
        after = _settings()
        changed.extend(name for name, value in after.items() if value != before[name])
        for name in changed:
            if name in _RESTORE:
                _RESTORE[name](before[name])


@contextlib.contextmanager
def apart() -> Iterator[None]:
    """Run a check as if in a fresh kernel, and leave the notebook's own state as it was.

    Gradients are on, autocast and inference mode off, tensors are made on the CPU; the random states
    of torch, Python and numpy are put back. There is one thread: several would wait for one another
    at these sizes, ten times as long where the machine does something else too.
    """
    device = torch.get_default_device()
    try:
        with (
            random_states_kept(),
            one_thread(),
            torch.inference_mode(False),
            torch.enable_grad(),
            torch.autocast("cpu", enabled=False),
            torch.device("cpu"),
        ):
            yield
    finally:
        if torch.get_default_device() != device:
            torch.set_default_device(device)


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch, Python and numpy for the block, and put their random states back after it."""
    with random_states_kept():
        _seed_torch(seed)
        random.seed(seed)
        yield


def _seed_torch(seed: int) -> None:
    """Without a GPU `torch.manual_seed` notes each call, with its stack, for one that may come."""
    if torch.cuda.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


@contextlib.contextmanager
def random_states_kept() -> Iterator[None]:
    """Put back the random states of torch, Python and numpy."""
    numpy = sys.modules.get("numpy")
    states = torch.get_rng_state(), random.getstate(), numpy.random.get_state() if numpy else None
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        random.setstate(states[1])
        if numpy:
            numpy.random.set_state(states[2])


@contextlib.contextmanager
def uninitialised_shows() -> Iterator[None]:
    """Let torch fill what `torch.empty` returns, so that reading it before writing shows."""
    before = torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    _deterministic(True, warns_only=True)
    try:
        yield
    finally:
        _deterministic(before, warns_only=warns)


def _deterministic(on: bool, *, warns_only: bool) -> None:
    """Set what `torch.use_deterministic_algorithms` sets, without the compiler it would import.

    That import takes seconds, and a learner's first check would wait for it.
    """
    switch: Any = getattr(torch._C, "_set_deterministic_algorithms", None)  # private to torch
    if switch is None:
        torch.use_deterministic_algorithms(on, warn_only=warns_only)
    else:
        switch(on, warn_only=warns_only)


_RESTORE: dict[str, Callable[[Any], object]] = {
    "default dtype": torch.set_default_dtype,
    "default device": torch.set_default_device,
    "switch for gradients": torch.set_grad_enabled,
    "number of threads": torch.set_num_threads,
    "deterministic algorithms": lambda modes: _deterministic(modes[0], warns_only=modes[1]),
    "anomaly detection": lambda on: torch.autograd.set_detect_anomaly(on),
}


def _settings() -> dict[str, Any]:
    return {
        "default dtype": torch.get_default_dtype(),
        "default device": torch.get_default_device(),
        "switch for gradients": torch.is_grad_enabled(),
        "number of threads": torch.get_num_threads(),
        "deterministic algorithms": (
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
        ),
        "anomaly detection": torch.is_anomaly_enabled(),
    }


def safe_text(value: object, limit: int = 300) -> str:
    """What str() gives, whatever str() does: one line, without control characters, cut."""
    try:
        text = str(value)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return f"a {type(value).__name__} that cannot be shown"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    first = " ".join(lines[:2]) if lines and lines[0].endswith(":") else "".join(lines[:1])
    first = first.encode("utf-8", "backslashreplace").decode("utf-8")
    shown = re.sub(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]", "", first[: 4 * limit])
    return shown[:limit] + (" ..." if len(shown) > limit else "")
